// Optional packages: what is used of them is the backend that they register when they are loaded.
declare module '@tensorflow/tfjs-node';
declare module '@tensorflow/tfjs-node-gpu';
