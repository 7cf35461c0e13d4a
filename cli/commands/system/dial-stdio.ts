import { connect } from '../../client/connect.ts'
import { command } from '../../command.ts'

export const dialStdioCommand = command({
  usage: '',
  summary: "Connect standard streams with the engine's socket",
  flags: {},
  least: 0,
  most: 0,
  /** For `ssh host berth system dial-stdio`: each direction ends on its own, all ends when the engine closes. */
  async run(cli) {
    const { socket } = await connect(cli.client.address, cli.program)
    const input = cli.stdin.open()
    input.pipe(socket)
    try {
      for await (const chunk of socket as AsyncIterable<Buffer>) await cli.stdout.write(chunk)
    } finally {
      input.unpipe(socket)
      cli.stdin.release()
      socket.destroy()
    }
    return 0
  },
})
