import { Stop } from './stop.mjs';

/**
 * The websocket server is a native addon; its builds for Node 22 and newer need glibc 2.38 (Debian 13, Ubuntu 24.04).
 * Said here in one sentence, it saves a stack trace from the loader.
 */
export function checkMachine() {
  const major = Number(process.versions.node.split('.')[0]);
  if (process.platform !== 'linux' || major < 22) return;
  const glibc = process.report.getReport().header.glibcVersionRuntime;
  if (!glibc) {
    throw new Stop(
      'HushRyd needs a Linux with glibc, and this one has another C library: use Debian, Ubuntu or Fedora.',
    );
  }
  const [glibcMajor, glibcMinor] = glibc.split('.').map(Number);
  if (glibcMajor > 2 || glibcMinor >= 38) return;
  throw new Stop(
    `Node ${major} needs glibc 2.38 for the websocket server and this system has ${glibc}: use Node 20 here (nvm install 20), or a newer system such as Debian 13.`,
  );
}
