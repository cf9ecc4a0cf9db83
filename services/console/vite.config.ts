import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  // Relative addresses: the same build is served at `/` in development and under `/admin/` behind the front door.
  base: './',
  plugins: [react()],
  build: {
    target: 'es2023',
    // The map library alone is 1.1 MB; it is a chunk of its own that loads beside the first page.
    chunkSizeWarningLimit: 1200,
    rolldownOptions: {
      output: {
        codeSplitting: { groups: [{ name: 'maplibre-gl', test: /node_modules[\\/]maplibre-gl[\\/].*\.m?js$/ }] },
        // MapLibre's worker is an `.mjs` file: many web servers do not know that ending for JavaScript, and browsers then refuse it.
        assetFileNames: ({ names }) =>
          names.some((name) => name.endsWith('.mjs')) ? 'assets/[name]-[hash].js' : 'assets/[name]-[hash][extname]',
      },
    },
  },
  worker: { format: 'es' },
});
