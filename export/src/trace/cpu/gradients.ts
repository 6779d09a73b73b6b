// TF.js's gradients: the published Node build of tfjs-core has none, tfjs-layers brings them.
import '@tensorflow/tfjs-layers';
