import { get } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnswerHead } from '../../src/kube/client/bulk/answer-head.ts';
import { AnswerReader } from '../../src/kube/client/bulk/answer-reader.ts';
import { randomSeed } from '../support/seed.ts';
import { type WrittenAnswer, writtenAnswers } from '../support/written-answers.ts';

interface Reading {
  readonly head: () => AnswerHead | undefined;
  readonly body: () => Buffer;
  readonly reader: AnswerReader;
  take(piece: Uint8Array): void;
}

/** As TLS does it, all pieces come in one and the same place. */
function startReading(): Reading {
  const place = Buffer.alloc(128 * 1024);
  const parts: Buffer[] = [];
  let head: AnswerHead | undefined;
  const reader = new AnswerReader((told) => {
    expect(head).toBeUndefined();
    head = told;
  });
  return {
    head: () => head,
    body: () => Buffer.concat(parts),
    reader,
    take(piece) {
      place.fill(0xff, 0, 1024).set(piece);
      reader.take(place, piece.length, (start, end) => {
        expect(start).toBeLessThan(end);
        expect(end).toBeLessThanOrEqual(piece.length);
        parts.push(Buffer.from(place.subarray(start, end)));
      });
    },
  };
}

/** Cut after so many bytes, and again, until nothing is left. */
function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const size = sizes[pieces.length % sizes.length] ?? 1;
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  return pieces;
}

const sizes = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 20 }),
  fc.constant([100_000]),
);

describe(`an answer (${randomSeed.words})`, () => {
  test('is read as it was written, in any pieces, and is whole at its end and not before', () => {
    fc.assert(
      fc.property(writtenAnswers, sizes, (answer, steps) => {
        const { reader, head, body, take } = startReading();
        let read = 0;
        for (const piece of cut(answer.bytes, steps)) {
          expect(reader.isDone).toBe(false);
          expect(reader.endsHere).toBe(answer.framing === 'open' && read >= answer.headEnd);
          take(piece);
          read += piece.length;
          expect(head() !== undefined).toBe(read >= answer.headEnd);
        }
        expect(reader.isDone).toBe(answer.framing !== 'open');
        expect(reader.endsHere).toBe(true);
        expect(head()?.status).toBe(answer.status);
        expect({ ...head()?.headers }).toEqual(answer.headers);
        expect(body().equals(answer.body)).toBe(true);
      }),
      { seed: randomSeed.value, numRuns: 400 },
    );
  });

  test('ends where it ends: what comes behind it is no part of it', () => {
    fc.assert(
      fc.property(writtenAnswers, fc.uint8Array({ minLength: 1, maxLength: 50 }), sizes, (answer, behind, steps) => {
        fc.pre(answer.framing !== 'open');
        const { reader, body, take } = startReading();
        for (const piece of cut(Buffer.concat([answer.bytes, behind]), steps)) take(piece);
        expect(reader.isDone).toBe(true);
        expect(body().equals(answer.body)).toBe(true);
      }),
      { seed: randomSeed.value, numRuns: 200 },
    );
  });

  test.each([204, 304])('of %i has no body, whatever it says of one', (status) => {
    for (const framing of ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', '']) {
      const { reader, body, take } = startReading();
      take(Buffer.from(`HTTP/1.1 ${status} None\r\n${framing}\r\nHTTP/`));
      expect(reader.isDone).toBe(true);
      expect(body()).toHaveLength(0);
    }
  });

  test('may have a head of 64 KiB', () => {
    const { reader, head, take } = startReading();
    const fields = `Cookie: ${'x'.repeat(1010)}\r\n`.repeat(63);
    take(Buffer.from(`HTTP/1.1 200 OK\r\n${fields}Content-Length: 0\r\n\r\n`));
    expect(reader.isDone).toBe(true);
    expect(head()?.headers.cookie).toHaveLength(63 * 1012 - 2);
  });
});

const ok = 'HTTP/1.1 200 OK\r\n';
const chunked = `${ok}Transfer-Encoding: chunked\r\n\r\n`;

describe('refused', () => {
  test.each([
    ['a chunk without a size', `${chunked}\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a chunk with an extension alone', `${chunked};a\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size with a sign', `${chunked}-5\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size with a plus', `${chunked}+5\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size with 0x', `${chunked}0x5\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size of 14 digits', `${chunked}00000000000005\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size beyond all numbers', `${chunked}ffffffffffffffff\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size that is not hexadecimal', `${chunked}5g\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a blank before a size', `${chunked} 5\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a blank behind a size', `${chunked}5 \r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a control character in an extension', `${chunked}5;a\0\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a CR in an extension', `${chunked}5;a\rb\r\nhello\r\n`, 'HPE_INVALID_CHUNK_SIZE'],
    ['a size without CR', `${chunked}5\nhello\r\n`, 'HPE_CR_EXPECTED'],
    ['data without CR', `${chunked}5\r\nhello\n0\r\n\r\n`, 'HPE_CR_EXPECTED'],
    ['data longer than its chunk', `${chunked}5\r\nhello!\r\n`, 'HPE_STRICT'],
    ['data shorter than its chunk', `${chunked}6\r\nhello\r\n0\r\n\r\n`, 'HPE_CR_EXPECTED'],
    ['a trailer without CR', `${chunked}0\r\nA: b\n\r\n`, 'HPE_CR_EXPECTED'],
    ['a trailer that is no field', `${chunked}0\r\nnonsense\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a trailer that is folded', `${chunked}0\r\nA: b\r\n c\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a trailer with another length', `${chunked}0\r\nContent-Length: 9\r\n\r\n`, 'HPE_UNEXPECTED_CONTENT_LENGTH'],
    [
      'chunks and a length',
      `${ok}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n`,
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    [
      'a length and chunks',
      `${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    ['another coding', `${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'HPE_INVALID_TRANSFER_ENCODING'],
    [
      'chunks of chunks',
      `${ok}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
      'HPE_INVALID_TRANSFER_ENCODING',
    ],
    ['no coding', `${ok}Transfer-Encoding:\r\n\r\n`, 'HPE_INVALID_TRANSFER_ENCODING'],
    ['a length with a sign', `${ok}Content-Length: +5\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['a length of hexadecimals', `${ok}Content-Length: 0x5\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['a length of nothing', `${ok}Content-Length:\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['two lengths', `${ok}Content-Length: 5\r\nContent-Length: 5\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['a length beyond all numbers', `${ok}Content-Length: 9999999999999999\r\n\r\n`, 'HPE_INVALID_CONTENT_LENGTH'],
    ['a folded header', `${ok}A: b\r\n c\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a blank before the colon', `${ok}Content-Length : 0\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a header without a name', `${ok}: b\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a header without a colon', `${ok}nonsense\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a control character in a header', `${ok}A: b\0c\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a tab behind a value', `${ok}Transfer-Encoding: chunked\t\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a CR in a header', `${ok}A: b\rc\r\n\r\n`, 'HPE_INVALID_HEADER_TOKEN'],
    ['a header without CR', `${ok}A: b\nContent-Length: 0\r\n\r\n`, 'HPE_CR_EXPECTED'],
    ['a status line without CR', 'HTTP/1.1 200 OK\n', 'HPE_CR_EXPECTED'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['a status that nobody has', 'HTTP/1.1 600 OK\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['another protocol, nobody asked for it', 'HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'HPE_INVALID_STATUS'],
    [
      'an announcement of a length',
      'HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    [
      'an announcement of chunks',
      'HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
    ],
    ['an announcement and no more', 'HTTP/1.1 100 Continue\r\nConnection: Close\r\n\r\n', 'HPE_CLOSED_CONNECTION'],
    ['an announcement in HTTP/1.0', 'HTTP/1.0 100 Continue\r\n\r\n', 'HPE_INVALID_CONSTANT'],
    ['what another protocol begins with', 'SSH-2.0-OpenSSH_9.6\r\n', 'HPE_INVALID_CONSTANT'],
    ['what has no lines', 'no', 'HPE_INVALID_CONSTANT'],
    ['a head of more than 64 KiB', `${ok}A: ${'x'.repeat(65_536)}\r\n\r\n`, 'HPE_HEADER_OVERFLOW'],
    ['a head without end', `${ok}A: ${'x'.repeat(65_536)}`, 'HPE_HEADER_OVERFLOW'],
    ['an extension without end', `${chunked}5;${'x'.repeat(16_384)}`, 'HPE_HEADER_OVERFLOW'],
    ['zeros without end', `${chunked}${'0'.repeat(16_385)}`, 'HPE_HEADER_OVERFLOW'],
    ['a trailer without end', `${chunked}0\r\nA:${'x'.repeat(16_384)}`, 'HPE_HEADER_OVERFLOW'],
    ['trailers without end', `${chunked}0\r\n${`A: ${'x'.repeat(97)}\r\n`.repeat(170)}`, 'HPE_HEADER_OVERFLOW'],
  ])('%s', (_, text, code) => {
    const bytes = Buffer.from(text, 'latin1');
    for (const size of [bytes.length, bytes.length > 10_000 ? 97 : 1]) {
      const { take, reader } = startReading();
      const takeAll = () => {
        for (const piece of cut(bytes, [size])) {
          expect(reader.isDone).toBe(false);
          take(piece);
        }
      };
      expect(takeAll).toThrow(expect.objectContaining({ code }));
    }
  });
});

interface Taken {
  readonly status: number;
  readonly body: Buffer;
}

/** Undefined for what is no answer, or not a whole one. */
function takeWhole(bytes: Buffer): Taken | undefined {
  const { reader, head, body, take } = startReading();
  try {
    for (const piece of cut(bytes, [4096])) take(piece);
  } catch {
    return undefined;
  }
  return reader.endsHere ? { status: head()?.status ?? 0, body: body() } : undefined;
}

describe('beside Node, whose http reads everything else', () => {
  /** What the next connections are answered, by the path that they ask for. */
  const answers = new Map<string, Buffer>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.once('data', (request) => {
      const [, path = ''] = request.toString('latin1').split(' ');
      socket.end(answers.get(path) ?? '');
      answers.delete(path);
    });
  });
  let asked = 0;

  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  function takeByNode(bytes: Buffer): Promise<Taken | undefined> {
    asked += 1;
    const path = `/${asked}`;
    answers.set(path, bytes);
    return new Promise((resolve) => {
      const { port } = server.address() as AddressInfo;
      const options = { host: '127.0.0.1', port, path, agent: false, maxHeaderSize: 128 * 1024 } as const;
      let hasMessage = false;
      const request = get(options, (message) => {
        hasMessage = true;
        const parts: Buffer[] = [];
        message.on('data', (part: Buffer) => parts.push(part)).on('error', () => undefined);
        message.once('close', () => {
          const isWhole = message.complete && message.readableEnded;
          resolve(isWhole ? { status: message.statusCode ?? 0, body: Buffer.concat(parts) } : undefined);
        });
      });
      // Where there is a message, it has the last word.
      request.on('error', () => hasMessage || resolve(undefined));
    });
  }

  const characters = fc.oneof(
    fc.constantFrom(...'\r\n\t :;,="0123456789abcdefxHTP/.+-\0\x7f\x80\xff'),
    fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
  );
  const mutation = fc.record({
    kind: fc.constantFrom('replace', 'insert', 'remove', 'repeat', 'cut', 'break'),
    /** Most of what matters stands in front. */
    place: fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 400 })),
    length: fc.integer({ min: 1, max: 20 }),
    character: characters,
  });
  type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

  function mutate(bytes: Buffer, { kind, place, length, character }: Mutation): Buffer {
    const at = place % (bytes.length + 1);
    const other = Buffer.from(character, 'latin1');
    const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (kind) {
      case 'replace':
        return Buffer.concat([before, other, behind.subarray(1)]);
      case 'insert':
        return Buffer.concat([before, other, behind]);
      case 'remove':
        return Buffer.concat([before, behind.subarray(length)]);
      case 'repeat':
        return Buffer.concat([before, behind.subarray(0, length), behind]);
      case 'break':
        return Buffer.concat([before, Buffer.from('\r\n'), behind]);
      default:
        return before;
    }
  }

  async function expectNodeToAgree(bytes: Buffer): Promise<boolean> {
    const ours = takeWhole(bytes);
    if (!ours) return false;
    // Of a 204 with a length Node reads a body, which RFC 9112 (section 6.3) denies it.
    if (ours.status === 204) return true;
    const theirs = await takeByNode(bytes);
    expect({ ...theirs, body: theirs?.body.toString('latin1') }).toEqual({
      status: ours.status,
      body: ours.body.toString('latin1'),
    });
    return true;
  }

  test(`what was written is one answer to both (${randomSeed.words})`, async () => {
    await fc.assert(
      fc.asyncProperty(writtenAnswers, async ({ bytes }: WrittenAnswer) => {
        expect(await expectNodeToAgree(bytes)).toBe(true);
      }),
      { seed: randomSeed.value, numRuns: 200 },
    );
  });

  test(`what is taken here, however it was changed, is the same answer there (${randomSeed.words})`, async () => {
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(
        writtenAnswers,
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        async ({ bytes }, mutations) => {
          if (await expectNodeToAgree(mutations.reduce(mutate, bytes))) taken += 1;
        },
      ),
      { seed: randomSeed.value, numRuns: 600 },
    );
    expect(taken).toBeGreaterThan(0);
  });
});
