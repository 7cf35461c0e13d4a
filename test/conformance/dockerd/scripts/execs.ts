import { create, get, post, type Script } from '../step.ts'

const output = { AttachStdout: true, AttachStderr: true }
const sh = (command: string): object => ({ ...output, Cmd: ['sh', '-c', command] })

export const execs: Script = {
  name: 'execs',
  steps: [
    create('host', { Env: ['A=b'] }),
    post('/containers/host/exec', { body: { Cmd: ['true'] } }),
    post('/containers/host/start'),
    post('/containers/host/exec', { body: sh('echo out; echo err >&2; exit 7'), save: 'both' }),
    get('/exec/{both}/json'),
    post('/exec/{both}/start', { body: {}, input: '', frames: true }),
    get('/exec/{both}/json', { until: '"Running":false' }),
    post('/exec/{both}/start', { body: {} }),
    post('/containers/host/exec', { body: sh('echo plain'), save: 'plain' }),
    post('/exec/{plain}/start', { body: { Detach: false }, frames: true }),
    post('/containers/host/exec', {
      body: { ...sh('echo $A $B; pwd; id -u'), Env: ['B=c'], User: '7', WorkingDir: '/tmp' },
      save: 'placed',
    }),
    post('/exec/{placed}/start', { body: {}, frames: true }),
    post('/containers/host/exec', { body: { ...sh('cat'), AttachStdin: true }, save: 'echoing' }),
    post('/exec/{echoing}/start', { body: {}, input: 'words\n', frames: true }),
    get('/exec/{echoing}/json', { until: '"Running":false' }),
    post('/containers/host/exec', { body: { ...sh('tty; echo done'), Tty: true }, save: 'terminal' }),
    post('/exec/{terminal}/start', { body: { Tty: true }, input: '' }),
    post('/containers/host/exec', { body: { Cmd: ['sleep', '1000'] }, save: 'detached' }),
    post('/exec/{detached}/start', { body: { Detach: true } }),
    get('/exec/{detached}/json'),
    post('/exec/{detached}/start', { body: {} }),
    post('/exec/{detached}/resize?h=10&w=20'),
    get('/containers/host/json'),
    post('/containers/host/exec', { body: { ...output, Cmd: ['nosuch'] }, save: 'missing' }),
    post('/exec/{missing}/start', { body: {}, frames: true }),
    get('/exec/{missing}/json', { until: '"Running":false' }),
    post('/containers/host/exec', { body: { ...sh('true'), WorkingDir: '/nosuch' }, save: 'nowhere' }),
    post('/exec/{nowhere}/start', { body: {}, frames: true }),
    get('/exec/{nowhere}/json', { until: '"Running":false' }),
    post('/containers/host/exec', { body: { ...sh('true'), User: 'nosuch' }, save: 'nobody' }),
    post('/exec/{nobody}/start', { body: {}, frames: true }),
    post('/containers/host/exec', { body: { Cmd: [] } }),
    post('/containers/host/exec', { body: '{' }),
    post('/containers/nosuch/exec', { body: { Cmd: ['true'] } }),
    post('/exec/nosuch/start', { body: {} }),
    post('/exec/nosuch/resize?h=1&w=1'),
    get('/exec/nosuch/json'),
    get(
      '/events?since={start}&until={now}&filters={"container":["{host}"],"event":["exec_create","exec_start","exec_die"]}',
    ),
  ],
}
