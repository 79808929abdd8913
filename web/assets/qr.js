/* A QR code of a trustee's key, made where the key is: it must not go to a server to become a picture. Version 4, correction M,
   alphanumeric, mask 0: up to 90 of 0-9 A-Z and " $%*+-./:". liushengQr(text) gives an SVG as text. ES2017, no modules. */
(function (root) {
  'use strict';
  var SIZE = 33, DATA = 64, BLOCK = 32, CORRECTION = 18, LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';

  /* GF(256) by x^8 + x^4 + x^3 + x^2 + 1 */
  function times(a, b) {
    var product = 0;
    for (; b; b >>= 1) {
      if (b & 1) product ^= a;
      a = a << 1 ^ (a & 128 ? 0x11d : 0);
    }
    return product;
  }

  function correction(data) {
    var generator = [1], rest = data.concat(new Array(CORRECTION).fill(0)), power = 1, at, n;
    for (n = 0; n < CORRECTION; n++) {
      var grown = generator.concat(0);
      for (at = 0; at < generator.length; at++) grown[at + 1] ^= times(generator[at], power);
      generator = grown;
      power = times(power, 2);
    }
    for (n = 0; n < data.length; n++) {
      var lead = rest[n];
      for (at = 0; at < generator.length; at++) rest[n + at] ^= times(generator[at], lead);
    }
    return rest.slice(data.length);
  }

  function codewords(text) {
    var bits = '0010' + (512 + text.length).toString(2).slice(1), n;
    for (n = 0; n < text.length; n += 2) {
      var pair = text.slice(n, n + 2), value = LETTERS.indexOf(pair[0]);
      bits += pair.length === 2 ? (2048 + value * 45 + LETTERS.indexOf(pair[1])).toString(2).slice(1) : (64 + value).toString(2).slice(1);
    }
    bits += '0000'.slice(0, DATA * 8 - bits.length);
    while (bits.length % 8) bits += '0';
    var data = bits.match(/.{8}/g).map(function (byte) { return parseInt(byte, 2); });
    for (n = 0; data.length < DATA; n++) data.push(n % 2 ? 17 : 236);
    var blocks = [data.slice(0, BLOCK), data.slice(BLOCK)], ends = blocks.map(correction), all = [];
    for (n = 0; n < BLOCK; n++) all.push(blocks[0][n], blocks[1][n]);
    for (n = 0; n < CORRECTION; n++) all.push(ends[0][n], ends[1][n]);
    return all;
  }

  function grid(text) {
    var dark = [], fixed = [], x, y, n;
    for (y = 0; y < SIZE; y++) {
      dark.push(new Array(SIZE).fill(false));
      fixed.push(new Array(SIZE).fill(false));
    }
    function put(x, y, is) {
      if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return;
      dark[y][x] = !!is;
      fixed[y][x] = true;
    }
    function square(cx, cy, reach, rings) {
      for (var dy = -reach; dy <= reach; dy++) {
        for (var dx = -reach; dx <= reach; dx++) put(cx + dx, cy + dy, rings[Math.max(Math.abs(dx), Math.abs(dy))]);
      }
    }
    for (n = 0; n < SIZE; n++) {
      put(6, n, n % 2 === 0);
      put(n, 6, n % 2 === 0);
    }
    [[3, 3], [SIZE - 4, 3], [3, SIZE - 4]].forEach(function (eye) { square(eye[0], eye[1], 4, [1, 1, 0, 1, 0]); });
    square(26, 26, 2, [1, 0, 1]);
    /* correction M, mask 0 */
    var format = '101010000010010';
    for (n = 0; n < 15; n++) {
      var is = format[14 - n] === '1';
      if (n < 6) put(8, n, is);
      else if (n < 8) put(8, n + 1, is);
      else if (n === 8) put(7, 8, is);
      else put(14 - n, 8, is);
      if (n < 8) put(SIZE - 1 - n, 8, is);
      else put(8, SIZE - 15 + n, is);
    }
    put(8, SIZE - 8, true);
    var bits = codewords(text).map(function (byte) { return (256 + byte).toString(2).slice(1); }).join(''), at = 0, up = true;
    for (x = SIZE - 1; x > 0; x -= 2) {
      if (x === 6) x--;
      for (n = 0; n < SIZE; n++) {
        y = up ? SIZE - 1 - n : n;
        [x, x - 1].forEach(function (column) {
          if (fixed[y][column]) return;
          dark[y][column] = bits[at++] === '1' !== ((y + column) % 2 === 0);
        });
      }
      up = !up;
    }
    return dark;
  }

  root.liushengQr = function (text) {
    var path = '';
    grid(text).forEach(function (row, y) {
      row.forEach(function (is, x) { if (is) path += 'M' + (x + 4) + ' ' + (y + 4) + 'h1v1h-1z'; });
    });
    return '<svg viewBox="0 0 41 41" width="246" height="246" shape-rendering="crispEdges" role="img"><path fill="#fff" d="M0 0h41v41H0z"/><path d="' + path + '"/></svg>';
  };
})(typeof self === 'undefined' ? globalThis : self);
