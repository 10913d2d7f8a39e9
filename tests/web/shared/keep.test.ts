import { expect, test } from 'vitest';
import { keepOnDevice } from '../../../web/shared/keep.ts';
import { newStorage, reopen } from '../support/device.ts';

const blocked = (): never => {
  throw new Error('Access is denied.');
};

test('what is kept is there again after a reload, and gone once removed', () => {
  const storage = newStorage();
  reopen(storage).set('lobby.a', '1');
  expect(reopen(storage).get('lobby.a')).toBe('1');
  reopen(storage).remove('lobby.a');
  expect(reopen(storage).get('lobby.a')).toBeNull();
});

test('a device that keeps nothing still serves for as long as the page is open', () => {
  const keep = keepOnDevice(blocked);
  keep.set('lobby.a', '1');
  keep.set('lobby.b', '2');
  keep.remove('lobby.b');
  expect(keep.get('lobby.a')).toBe('1');
  expect(keep.get('lobby.b')).toBeNull();
  expect(keep.keys('lobby.')).toEqual(['lobby.a']);
});

test('names are listed once, and only those asked for', () => {
  const storage = newStorage();
  storage.setItem('other', 'x');
  const keep = reopen(storage);
  keep.set('lobby.a', '1');
  expect(keep.keys('lobby.')).toEqual(['lobby.a']);
});
