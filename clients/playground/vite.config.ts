import { defineConfig } from 'vite';

export default defineConfig({
  base: './',
  build: {
    outDir: process.env.CAISSON_PLAYGROUND_DIR ?? 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The Content-Security-Policy has no room for data: URLs of scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 800,
  },
});
