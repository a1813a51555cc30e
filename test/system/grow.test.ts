import test from 'ava';
import { connect } from '../../client/connect.ts';
import { clusterDirectory, up, weft } from './cli-runner.ts';

test.serial(
  'an iod that is added while files are open takes part in new files, and in no old one (SCENARIOS 247)',
  async (t) => {
    const dataDir = await clusterDirectory(t);
    const { url } = await up(dataDir, '--iods', '2');
    const fs = await connect(url);
    t.teardown(() => fs.close());
    const content = Buffer.alloc(300_000, 7);
    const layout = { ssize: 4096 };
    const file = await fs.open('/old', 'w+', { layout });
    await file.write(content, 0);
    t.is((await weft({}, 'chaos', 'kill', 'mgr', '--data', dataDir)).code, 0);
    await up(dataDir, '--iods', '3');
    await file.write(content, content.length);
    await file.close();
    const again = await fs.open('/old', 'r');
    t.like(again.layout, { pcount: 2, total: 2 });
    await again.close();
    t.true((await fs.readFile('/old')).equals(Buffer.concat([content, content])));
    const made = await fs.open('/new', 'w+', { layout: { ...layout, pcount: 3 } });
    t.like(made.layout, { pcount: 3, total: 3 });
    await made.write(content, 0);
    await made.close();
    t.true((await fs.readFile('/new')).equals(content));
  },
);
