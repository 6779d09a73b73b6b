/** What keys mean that the schema does not describe itself; a description there takes precedence. */
import type { Descriptions } from './recipe-reference.js';

export const DESCRIPTIONS: Descriptions = {
  name: 'Name of the recipe: letters, digits, dots, dashes and underscores, at most 64.',
  description: 'One sentence about the recipe.',
  data: 'The images to learn from.',
  'data.dataset':
    '`mnist`, `fashion`, or a folder of IDX files, CIFAR-10 files or images. A relative folder is relative to the recipe.',
  'data.height':
    'Height of the images in pixels, as the network takes them. Images of a folder are resized.',
  'data.width': 'Width of the images in pixels.',
  'data.channels': '1 for gray images, 3 for colour.',
  'data.range': 'What the pixel values 0 and 255 become: `[0, 1]` or `[-1, 1]`.',
  'data.classes': 'Train only with the images of these classes, by name or number.',
  model: 'The two networks.',
  'model.network': 'The pair of networks.',
  'model.latent': 'The random vectors that the generator draws from.',
  'model.latent.size': 'Number of values in a latent.',
  'model.latent.distribution': '`uniform`: from -1 to 1; `normal`: mean 0, standard deviation 1.',
  'model.classes':
    'Number of classes given to both networks as labels. Leave it out to train without labels.',
  'model.categories': 'Number of InfoGAN categories. Only with the method infogan.',
  'model.codes': 'Number of InfoGAN codes. Only with the method infogan.',
  'model.code_variance':
    'Whether the discriminator predicts the variance of each code beside its mean.',
  'model.fragment':
    'Size of the fragments that a discriminator of fragments scores. Only with the method predictive.',
  'model.fragment.internal': 'Side of the internal part, in pixels.',
  'model.fragment.frame': 'Width of the frame around the internal part, in pixels.',
  'model.spectral_norm': 'Spectral normalisation in the discriminator (Miyato et al. 2018).',
  'model.batch_norm':
    'Batch normalisation in the discriminator. It must be false with a gradient penalty.',
  'model.initialization':
    'How weights start. `normal`: standard deviation 0.02; `xavier` (Glorot) or `kaiming` (He): by the size of each layer.',
  training: 'How the networks learn.',
  'training.method': 'The training method. `adversarial` if it is left out.',
  'training.loss': 'The pair of losses. Only with the methods adversarial and infogan.',
  'training.label_smoothing':
    "The discriminator's target for real images is 1 minus this. Only with the methods adversarial and infogan.",
  'training.discriminator_steps':
    'Updates of the discriminator per training step; 1 if left out. Only with the method adversarial.',
  'training.generator_steps':
    'Updates of the generator per training step; 1 if left out. Only with the method adversarial.',
  'training.gradient_penalty':
    'Weight of the gradient penalty (λ of WGAN-GP). Only with the method adversarial.',
  'training.weight_clip':
    "Largest magnitude of the discriminator's weights (WGAN). Only with the method adversarial.",
  'training.generator_average':
    'Export a moving average of the generator: share of the old average that each step keeps.',
  'training.information': 'Settings of the method infogan.',
  'training.information.weight':
    'Weight of the loss of misread categories and codes, relative to the adversarial losses.',
  'training.information.code_weight': 'Weight of a misread code relative to a misread category.',
  'training.information.consistency':
    'Weight of the mutual information between the categories of a real image and of its distorted copy.',
  'training.information.diversity':
    'Weight of the penalty for two images of the same category and codes that look alike. The batch size must be even.',
  'training.information.supervised': 'Category k is class k of the data.',
  'training.information.thickness': 'The first code is the thickness of the strokes.',
  'training.equilibrium': 'Settings of the method began.',
  'training.equilibrium.lambda': 'Step size of the balance k (λ of the paper).',
  'training.equilibrium.gamma':
    'Target ratio of the energies of generated and real images (γ of the paper).',
  'training.equilibrium.diversity':
    'Weight of the penalty for images that are alike although their latents differ.',
  'training.predictive': 'Settings of the method predictive (GPN).',
  'training.predictive.negatives':
    'Kinds of altered fragments, each with its weight. A real fragment has the weight 1. At least one kind besides `generated` is needed.',
  'training.predictive.negatives.noise': 'Internal part replaced by uniform noise.',
  'training.predictive.negatives.blur': 'Uniform noise of up to 0.2 added to the internal part.',
  'training.predictive.negatives.mismatch': 'Internal part taken from a fragment of another image.',
  'training.predictive.negatives.gaussian': 'Internal part blurred by a Gaussian.',
  'training.predictive.negatives.generated':
    "Fragments of the generator's images, from the second round on.",
  'training.predictive.inverse': 'Use every image as its inverse, too.',
  'training.predictive.fragments_per_image':
    'Fragments cut from each image in an epoch of the discriminator.',
  'training.predictive.generator_fragments': 'Fragments of each generated image that are scored.',
  'training.predictive.generator_batches': 'Batches in an epoch of the generator.',
  'training.predictive.generator_loss': "The generator's loss for a fragment.",
  'training.predictive.diversity':
    'Weight of the penalty for images that are alike although their latents differ.',
  'training.predictive.rounds':
    'Number of rounds: one discriminator phase followed by one generator phase. The steps are divided among them.',
  'training.batch_size': 'Images per step.',
  'training.epochs': 'Passes over the data. Give either this or `steps`.',
  'training.steps': 'Training steps. Give either this or `epochs`.',
  'training.seed': 'Seed of weights, noise and order. The same seed gives the same run.',
  'training.optimizer': 'The optimiser of both networks.',
  'training.optimizer.type': 'Kind of optimiser.',
  'training.optimizer.generator_lr': "The generator's learning rate.",
  'training.optimizer.discriminator_lr': "The discriminator's learning rate.",
  'training.optimizer.beta1': 'Decay of the first moment; required for adam, left out for sgd.',
  'training.optimizer.beta2': 'Decay of the second moment; required for adam, left out for sgd.',
  'training.schedule': '`null` keeps the learning rates.',
  'training.schedule.type': 'Lower the rates if the average loss of an epoch stops improving.',
  'training.schedule.factor': 'Factor by which the rates are multiplied.',
  'training.schedule.patience': 'Epochs without improvement that are waited for.',
  output: 'What is written to the folder of the run.',
  'output.samples_every': 'Steps from one picture of samples to the next.',
  'output.checkpoint_every': 'Steps from one checkpoint to the next.',
  'output.sample_count': 'Images in a picture of samples.',
  'output.evaluate_every':
    'Steps from one evaluation to the next. Without it nothing is evaluated.',
  'output.evaluate_samples':
    'Images of each evaluation; 2,000 if left out. Only with `evaluate_every`.',
  'output.on_collapse':
    'What to do if the generator collapses; `warn` if left out. Only with `evaluate_every`.',
};
