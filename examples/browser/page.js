/** A page that lists, stores and fetches files of a cluster. Served by whoever serves the page. */
import { connect, FsError } from 'weftfs/browser';

const [cluster, upload, files, state] = ['cluster', 'upload', 'files', 'state'].map((id) =>
  document.getElementById(id),
);
let fs;

/** Runs what the user asked for, and says how it ended. */
async function tell(what, work) {
  state.textContent = `${what} …`;
  try {
    await work();
    state.textContent = `${what}: done`;
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    state.textContent = `${what}: ${error.message}${error.advice ? ` (${error.advice})` : ''}`;
  }
}

async function list() {
  const entries = await fs.readdir('/');
  files.replaceChildren(...entries.filter((entry) => entry.isFile()).map(itemOf));
}

function itemOf({ name }) {
  const link = document.createElement('a');
  link.textContent = name;
  link.href = `#${encodeURIComponent(name)}`;
  link.addEventListener('click', () => void tell(`fetch ${name}`, () => download(name)));
  const item = document.createElement('li');
  item.append(link);
  return item;
}

async function download(name) {
  const content = await fs.readFile(`/${name}`);
  const link = document.createElement('a');
  link.download = name;
  link.href = URL.createObjectURL(new Blob([content]));
  link.click();
  URL.revokeObjectURL(link.href);
}

cluster.addEventListener('submit', (event) => {
  event.preventDefault();
  const { url, user, key } = Object.fromEntries(new FormData(cluster));
  void tell('connect', async () => {
    await fs?.close();
    fs = await connect(url, { user: user || undefined, key: key || undefined });
    upload.hidden = false;
    await list();
  });
});

upload.addEventListener('submit', (event) => {
  event.preventDefault();
  const file = new FormData(upload).get('file');
  void tell(`store ${file.name}`, async () => {
    await fs.writeFile(`/${file.name}`, new Uint8Array(await file.arrayBuffer()));
    await list();
  });
});
