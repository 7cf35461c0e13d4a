import type { Script } from '../step.ts'
import { containers } from './containers.ts'
import { execs } from './execs.ts'
import { images } from './images.ts'
import { networks } from './networks.ts'
import { refusals } from './refusals.ts'
import { streams } from './streams.ts'
import { system } from './system.ts'
import { volumes } from './volumes.ts'
import { wrongValues } from './wrong-values.ts'

export const scripts: readonly Script[] = [
  system,
  containers,
  execs,
  streams,
  images,
  networks,
  volumes,
  refusals,
  wrongValues,
]
