/** A nameserver that knows one name; run in the network namespace where it is to be: address, name, its address. */
import { createSocket } from 'node:dgram'
import { decode, encode } from 'dns-packet'

const [, , host = '', name = '', data = ''] = process.argv
const socket = createSocket('udp4')
socket.on('message', (bytes, peer) => {
  const { id = 0, questions = [] } = decode(bytes)
  const known = questions[0]?.name === name && questions[0].type === 'A'
  const answers = known ? [{ type: 'A' as const, name, data }] : []
  socket.send(encode({ type: 'response', id, flags: known ? 0 : 3, questions, answers }), peer.port, peer.address)
})
socket.bind(53, host, () => console.log('ready'))
