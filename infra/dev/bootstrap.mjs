#!/usr/bin/env node
// Runs before anything is installed: plain JavaScript without dependencies. No static imports here, and no syntax
// younger than dynamic import, so that an old Node gets as far as the sentence below.
const [major, minor] = process.versions.node.split('.').map(Number);

if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `HushRyd needs Node 20.19 or newer and this is ${process.version}: install Node 20 (https://nodejs.org, or nvm install 20) and try again.`,
  );
  process.exit(1);
}

import('./bootstrap/commands.mjs').then(
  ({ runCommand }) => runCommand(process.argv.slice(2)),
  (error) => {
    throw error;
  },
);
