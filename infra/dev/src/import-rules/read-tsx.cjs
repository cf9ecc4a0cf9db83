// Loaded before dependency-cruiser, which asks swc to read every file as plain TypeScript and so fails on the first JSX.
const swc = require('@swc/core');

const { parseFileSync } = swc;
swc.parseFileSync = (file, options) => parseFileSync(file, { ...options, tsx: file.endsWith('x') });
