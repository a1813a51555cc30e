/** The last step of `npm run build`: `dist/browser/weftfs.js` and the dashboard. */
import { fileURLToPath } from 'node:url';
import { bundleDashboard, bundleForBrowsers } from './browser/bundle.ts';

const dist = (name: string): string => fileURLToPath(new URL(`../dist/${name}`, import.meta.url));

await bundleForBrowsers(dist('browser/weftfs.js'));
await bundleDashboard(dist('dashboard'));
