// TF.js's gradients, which the published build of tfjs-core for bundlers has in a file of its own.
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
