/** Go's encoder of JSON escapes the three signs of HTML unless told otherwise. */
export function escapeHtml(json: string): string {
  const escapes: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }
  return json.replaceAll(/[<>&]/g, (sign) => escapes[sign] ?? sign)
}
