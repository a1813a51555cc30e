/**
 * `npm run bench:modelled`: what one mgr would carry on a network, by a model out of the figures in
 * docs/performance. Measures nothing, and writes nothing: that does whoever publishes those figures.
 */
import { readModel } from '../peers/performance-files.ts';
import { modelledTable } from './page.ts';

console.log(modelledTable(readModel()));
