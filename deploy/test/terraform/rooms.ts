/** Every comparison of the module. */
import { choices } from './choices.ts';
import { containers } from './containers.ts';
import { glue } from './glue.ts';
import { inputsAndOutputs } from './inputs-outputs.ts';
import type { Room } from './module.ts';
import { network } from './network.ts';
import { resources } from './resources.ts';
import { roles } from './roles.ts';

export const rooms: readonly Room[] = [
  choices,
  inputsAndOutputs,
  containers,
  network,
  roles,
  glue,
  resources,
];
