import { randomInt } from 'node:crypto'
import { invalid } from '#base/errors.ts'

const adjectives =
  `able agile amber ample apt arctic autumn balmy bold brave breezy bright brisk broad calm candid clear clever coastal
copper coral cosmic crisp curious daring deep deft eager early easy even fair fine firm fleet fluent fond frank fresh gentle glad golden
grand green handy happy hardy honest humble ideal jolly keen kind late light lively loyal lucid lucky mellow merry mild mint misty modest
neat nimble noble northern open patient plain polar prime proud quick quiet rapid ready round royal rustic salty sandy sharp silent silver
smooth snug solid southern spry steady still stout sunny swift tidal tidy tranquil true upbeat valiant vivid warm western wide wise witty
young zesty`.split(/\s+/)

const nouns =
  `anchor atoll barge bay beacon berth boat bollard bow bridge brig buoy cable canal canoe cape captain cargo channel clipper
coast compass coracle cove crane crew current cutter dinghy dock dory eddy estuary ferry fjord fleet float frigate galley gangway gull
halyard harbor haven heron hold hull inlet island jetty junk kayak keel ketch knot lagoon landing lantern launch lighthouse locker longboat
lugger mainsail marina mast mate mole moorage oar osprey otter paddle pelican pier pilot plover port prow quay raft reef rigging river rope
rudder sailor sampan schooner seal sextant shoal shore skiff skipper sloop sound spar spinnaker strait surf tackle tanker tender tern tide
tiller topsail trawler tug vessel voyage wake walrus warden wave wharf winch windlass yacht yawl`.split(/\s+/)

const pattern = /^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** The name without its leading slash.   @throws `invalid` in Docker's words */
export function parseContainerName(text: string): string {
  if (!pattern.test(text)) {
    throw invalid(`Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
  }
  return text.replace(/^\//, '')
}

/** A name such as `calm_ferry` that nobody has; a digit follows when luck runs out. */
export function freeName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const base = `${pick(adjectives)}_${pick(nouns)}`
    const name = attempt < 6 ? base : `${base}${randomInt(10 ** Math.min(attempt - 5, 9))}`
    if (!isTaken(name)) return name
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? ''
}
