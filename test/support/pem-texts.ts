import fc from 'fast-check';

/** Texts put together from what PEM files are made of, well formed by accident now and then. */
const labels = ['CERTIFICATE', 'X', 'EC PARAMETERS', '', ' ', 'A:B', 'CERT IFICATE', 'CERTIFICATE '];
const lineEnds = ['\n', '\r\n', '\r', ' \n', '\t\r\n', '', '\n\n'];

const label = fc.constantFrom(...labels);
const lineEnd = fc.oneof(
  { weight: 6, arbitrary: fc.constant('\n') },
  { weight: 4, arbitrary: fc.constantFrom(...lineEnds) },
);
const base64 = fc.oneof(
  { weight: 6, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes).toString('base64')) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'AA',
      'AA=',
      'AA==',
      'AAA=',
      'A===',
      '====',
      'AA==AA==',
      'A A A A',
      'AA=\n=',
      'AAA=A',
      'ab-_',
      'AAAAA',
      '\x00AAA',
      '\xe9AAA',
    ),
  },
);
const header = fc.constantFrom('Proc-Type: 4,ENCRYPTED', 'DEK-Info:', ':', 'a:b:c', ' X : y ');

/** A whole block, as it should be but for one thing at most. */
const block = fc
  .record({
    begin: label,
    end: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: label }),
    ends: fc.array(lineEnd, { minLength: 5, maxLength: 5 }),
    headers: fc.oneof(
      { weight: 5, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.array<string>(header, { maxLength: 2 }) },
    ),
    body: base64,
  })
  .map(({ begin, end, ends: [a = '', b = '', c = '', d = '', e = ''], headers, body }) =>
    [
      `-----BEGIN ${begin}-----${a}`,
      ...headers.map((line) => `${line}${b}`),
      headers.length > 0 ? c : '',
      `${body}${d}`,
      `-----END ${end ?? begin}-----${e}`,
    ].join(''),
  );

const fragment = fc.oneof(
  { weight: 6, arbitrary: block },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('-----BEGIN ', '-----END ', '----BEGIN ', '------BEGIN ', '-----END', '-----BEGIN'),
        label,
        fc.constantFrom('-----', '----', '------', '----- ', '-----x'),
        lineEnd,
      )
      .map((parts) => parts.join('')),
  },
  { weight: 1, arbitrary: fc.tuple(base64, lineEnd).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(header, lineEnd).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: lineEnd },
  { weight: 1, arbitrary: fc.constantFrom('text', ' ', '\xef\xbb\xbf', '\x00', '-', '-----', '\xe9\n') },
);

export const pemTexts: fc.Arbitrary<string> = fc.array(fragment, { maxLength: 7 }).map((parts) => parts.join(''));
