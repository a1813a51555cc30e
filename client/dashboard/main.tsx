/** The dashboard, as the mgr serves it: a client in a page. */
import { render } from 'preact';
import { App } from './app.tsx';

/** It never reached a server, and shall not stay where others look. */
const ticket = location.hash;
if (ticket.includes('.')) history.replaceState(null, '', location.pathname);

const place = document.querySelector('#app');
if (place !== null) render(<App ticket={ticket} />, place);
