/** How values of the record arrive from PostgreSQL: numbers for counts, ISO instants for times, bank-local dates as written. */

import pg from 'pg';

const { builtins } = pg.types;
const textArray = 1009;
const bigintArray = 1016;
const dateArray = 1182;
const timestamptzArray = 1185;

type Parser = (text: string) => unknown;

// The driver's types name only the types of one value; its parsers know arrays too.
const driverParser = pg.types.getTypeParser as (oid: number, format?: 'text' | 'binary') => Parser;
const parseTextArray = driverParser(textArray) as (text: string) => (string | null)[];

const parsers = new Map<number, Parser>([
  [builtins.INT8, Number],
  [bigintArray, arrayOf(Number)],
  [builtins.TIMESTAMPTZ, instant],
  [timestamptzArray, arrayOf(instant)],
  // A date has no instant: the driver's own Date would move it by the time zone of this machine.
  [builtins.DATE, String],
  [builtins.TIMESTAMP, String],
  [dateArray, arrayOf(String)],
]);

/** The parsers of one pool; the driver's own are left for everything else, and for everybody else. */
export const valueTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers.get(oid)) || driverParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/** `2026-11-23 13:40:00.123456+00` as an ISO instant to the millisecond; `infinity` stays a word. */
function instant(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toISOString();
}

function arrayOf(parse: Parser): Parser {
  return (text) => parseTextArray(text).map((item) => (item === null ? null : parse(item)));
}
