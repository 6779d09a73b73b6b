import { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu';
import { copyRegisteredKernels, registerBackend } from '@tensorflow/tfjs-core';

copyRegisteredKernels('cpu', 'tensorflow');
registerBackend('tensorflow', () => new MathBackendCPU());
