/**
 * What Node.js is given beside a realtime node's main file, in MiB for each half of the young generation. What is in flight survives each
 * collection and is copied by it, so a larger one waits longer for the same work; it can only be set when the process starts.
 * Source: docs/decisions/0012-small-young-generation.md
 */
export const realtimeNodeArgs: readonly string[] = ['--max-semi-space-size=4'];
