import { expect, test } from 'vitest'
import { compileTemplate } from '#cli/output/template/template.ts'

const data = {
  Name: '/web',
  State: { Status: 'running', Running: true, ExitCode: 0, Health: null },
  Cmd: ['sh', '-c', 'x'],
  Empty: [],
  Labels: { b: '2', a: '1' },
  Networks: { bridge: { IPAddress: '172.17.0.2' }, web: { IPAddress: '10.0.0.2' } },
  Label: (name: string) => `label ${name}`,
}

test.each([
  ['plain', 'plain'],
  ['{{.Name}}', '/web'],
  ['{{ .State.Status }}!', 'running!'],
  ['{{$.State.Running}} {{.State.ExitCode}}', 'true 0'],
  ['{{.State.Health}}', '<no value>'],
  ['{{.Cmd}} {{.Labels}}', '[sh -c x] map[a:1 b:2]'],
  ['{{json .Cmd}}', '["sh","-c","x"]'],
  ['{{json .}}', JSON.stringify({ ...data, Label: undefined })],
  ['{{join .Cmd " "}}|{{.Cmd | len}}', 'sh -c x|3'],
  ['{{upper .Name}} {{.Name | upper | lower}} {{title "ab cd"}}', '/WEB /web Ab Cd'],
  ['{{index .Cmd 0}} {{index .Labels "a"}} {{(index .Networks "web").IPAddress}}', 'sh 1 10.0.0.2'],
  ['{{range .Networks}}{{.IPAddress}} {{end}}', '172.17.0.2 10.0.0.2 '],
  ['{{range $name, $net := .Networks}}{{$name}}={{$net.IPAddress}},{{end}}', 'bridge=172.17.0.2,web=10.0.0.2,'],
  ['{{range $i, $c := .Cmd}}{{if $i}}, {{end}}{{$c}}{{end}}', 'sh, -c, x'],
  ['{{range .Empty}}x{{else}}none{{end}}', 'none'],
  ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
  ['{{if eq .State.Status "exited" "dead"}}a{{else if eq .State.ExitCode 0}}b{{else}}c{{end}}', 'b'],
  ['{{if .State.Missing}}x{{end}}ok', 'ok'],
  ['{{with .State}}{{.Status}}{{end}}', 'running'],
  ['{{if and .State.Running (not .Empty) (gt (len .Cmd) 2)}}yes{{end}}', 'yes'],
  ['{{or .Empty "default"}}', 'default'],
  ['{{$x := "a"}}{{$x = "b"}}{{$x}}', 'b'],
  ['{{.Label "x.y"}}', 'label x.y'],
  ['{{printf "%s-%05d|%-4s|%q" .Name 42 "a" "b"}}', '/web-00042|a   |"b"'],
  ['a {{- .Name -}} b', 'a/webb'],
  ['{{/* a comment */}}x', 'x'],
  ['{{"a\\tb"}}{{`c\\d`}}', 'a\tbc\\d'],
  ['{{slice .Name 1 3}} {{truncate .Name 2}} {{split "a,b" ","}}', 'we /w [a b]'],
  ['{{println "a" 1}}', 'a 1\n'],
  ['{{pad .Name 1 2}}|', ' /web  |'],
])('%s', (template, expected) => {
  expect(compileTemplate(template)(data)).toBe(expected)
})

test.each([
  ['{{.Nope}}', 'map has no entry for key "Nope"'],
  ['{{.State.Health.Status}}', 'nil pointer evaluating interface {}.Status'],
  ['{{.Name.X}}', "can't evaluate field X"],
  ['{{nope .Name}}', 'function "nope" not defined'],
  ['{{.Name', 'unclosed action'],
  ['{{if .Name}}x', '{{end}} is missing'],
  ['{{end}}', 'unexpected {{end}}'],
  ['{{}}', 'missing value for command'],
  ['{{template "x"}}', 'is not supported'],
  ['{{index .Cmd 9}}', 'index out of range'],
  ['{{$y}}', 'undefined variable'],
  ['{{(.Name}}', 'unclosed left paren'],
])('%s is refused: %s', (template, message) => {
  expect(() => compileTemplate(template)(data)).toThrow(message)
})
