import { invalid, isKind } from '#base/errors.ts'
import { decodeAuthConfig } from '#contract/validate.gen.ts'
import { type Route, route } from '../call.ts'
import { toRegistryAuth } from '../parse/registry-auth.ts'
import { json } from '../reply.ts'

export const authRoutes: readonly Route[] = [
  route('POST /auth', async ({ body, signal }, engine) => {
    const auth = toRegistryAuth((await body(decodeAuthConfig).catch(inDecoderWords)) ?? {})
    const token = await engine.images.login(auth.serverAddress ?? '', auth, signal)
    return json({ IdentityToken: token, Status: 'Login Succeeded' })
  }),
]

/** Docker reads this one body without a word of its own before what is wrong with the JSON. */
function inDecoderWords(error: unknown): never {
  if (!isKind(error, 'invalid')) throw error
  throw invalid(error.message.replace(/^invalid JSON: /, ''), { cause: error })
}
