// Preloaded into a service (`node --expose-gc --import …`) that is asked for its memory: SIGUSR2 collects garbage and logs what is left.
let number = 0;
process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  number += 1;
  console.log(JSON.stringify({ msg: 'memory after collection', number, ...process.memoryUsage() }));
});
