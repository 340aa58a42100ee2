import { DerError, type Tlv, tags } from './der.ts';

const patterns: Record<number, RegExp> = {
  [tags.utcTime]: /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
  [tags.generalizedTime]: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
};

/**
 * An instant as certificates carry it (RFC 5280, section 4.1.2.5): in UTC, to the second. Go also
 * takes offsets and times without seconds, which nothing writes; here they are refused.
 * @throws DerError
 */
export function readTime(tlv: Tlv | undefined): Date {
  const text = Buffer.from(tlv?.content ?? []).toString('latin1');
  const [, year = '', ...rest] = patterns[tlv?.tag ?? 0]?.exec(text) ?? [];
  const [month, day, hour, minute, second] = rest;
  const iso = `${year.length === 2 ? centuryOf(year) + year : year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const date = new Date(iso);
  // The 31st of February is read as the 3rd of March: what is not the same again was no date.
  if (Number.isNaN(date.getTime()) || date.toISOString() !== iso) throw new DerError('a malformed time');
  return date;
}

function centuryOf(year: string): string {
  return Number(year) >= 50 ? '19' : '20';
}
