import './theme/tokens.css';
import './theme/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { takeOneTimeCode } from './session/one-time-code.ts';
import { applyTheme } from './theme/theme-store.ts';

applyTheme();
// Before anything else runs: a code must not stay in the address bar, nor in the history.
const arrival = takeOneTimeCode(window.location.hash);
if (arrival.fragment !== window.location.hash) {
  window.history.replaceState(null, '', window.location.pathname + window.location.search + arrival.fragment);
}

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root.');
createRoot(root).render(
  <StrictMode>
    <App code={arrival.code} />
  </StrictMode>,
);
