// Optional packages. Loading one registers a backend; nothing else of them is used.
declare module '@tensorflow/tfjs-node';
declare module '@tensorflow/tfjs-node-gpu';
