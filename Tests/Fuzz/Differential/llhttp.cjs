// Feeds request octets to llhttp, the parser inside Node, and writes what it made of them.
//
//   node llhttp.cjs CASES RESULTS
//
// CASES: for each case its length (32 bits, little-endian) and its octets. RESULTS: a line for each case, of words with one
// space between: end (ok, more or an error code), number of messages, and for each message method, target, minor version,
// complete (0 or 1), persistent (0 or 1), upgrade (0 or 1), content, number of fields, then name and value of each. Text is
// hexadecimal, nothing is "-".
'use strict';
const fs = require('node:fs');
const { HTTPParser, methods, allMethods } = process.binding('http_parser');
const names = allMethods ?? methods;
const hex = (octets) => (octets.length === 0 ? '-' : Buffer.from(octets, 'latin1').toString('hex'));

function read(input) {
  const messages = [];
  let fields = [];
  let flushed = ''; // the target, where it comes before its head is complete
  const parser = new HTTPParser();
  // Lenient about nothing: what `http.createServer` does by itself.
  parser.initialize(HTTPParser.REQUEST, {}, 1 << 20, 0);
  parser[HTTPParser.kOnHeaders | 0] = (more, target) => {
    fields.push(...more);
    flushed += target;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] =
    (major, minor, more, method, target, status, reason, upgrade, persistent) => {
      if (more !== undefined) fields.push(...more);
      messages.push({
        method: names[method], target: target ?? flushed, minor, fields, upgrade, persistent, content: [], complete: false,
      });
      fields = [];
      flushed = '';
      return 0;
    };
  parser[HTTPParser.kOnBody | 0] = (piece) => { messages.at(-1).content.push(Buffer.from(piece)); };
  parser[HTTPParser.kOnMessageComplete | 0] = () => {
    const message = messages.at(-1);
    if (message) message.complete = true;
    fields = []; // of the trailer section
    flushed = '';
  };
  let end = 'more';
  const result = parser.execute(input);
  if (result instanceof Error) end = result.code;
  else {
    // Nothing is missing if the parser may end here.
    const finish = parser.finish();
    end = finish instanceof Error ? 'more' : 'ok';
  }
  parser.free();
  const words = [end, messages.length];
  for (const m of messages) {
    words.push(hex(m.method), hex(m.target), m.minor, +m.complete, +m.persistent, +m.upgrade,
      hex(Buffer.concat(m.content)), m.fields.length / 2, ...m.fields.map(hex));
  }
  return words.join(' ');
}

const [, , cases, results] = process.argv;
const all = fs.readFileSync(cases);
const lines = [];
for (let at = 0; at < all.length;) {
  const length = all.readUInt32LE(at);
  lines.push(read(all.subarray(at + 4, at + 4 + length)));
  at += 4 + length;
}
fs.writeFileSync(results, lines.join('\n') + '\n');
