// What is measured in a page. Each function runs inside the browser and stands alone.

/** Letters of 18 px, contrast of 4.5, boxes of 44 px to tap and 60 for what one mostly presses. */
export function audit() {
  const faults = [];
  const called = (one) => `<${one.tagName.toLowerCase()}${one.className && typeof one.className === 'string' ? `.${one.className.split(' ').join('.')}` : ''}> “${(one.innerText || one.name || one.id || '').trim().slice(0, 24)}”`;
  const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('.skip, .hide, [hidden]');
  const parts = (color) => {
    const numbers = color.match(/[\d.]+/g).map(Number);
    return numbers.length === 3 ? [...numbers, 1] : numbers;
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const ground = (one) => {
    if (!one) return [255, 255, 255];
    const own = parts(getComputedStyle(one).backgroundColor);
    return own[3] === 1 ? own.slice(0, 3) : over(own, ground(one.parentElement));
  };
  const light = (color) => {
    const [red, green, blue] = color.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const letters = (one, style, behind, words) => {
    const size = parseFloat(style.fontSize);
    if (size < 18) faults.push(`letters of ${size} px: ${words}`);
    const found = contrast(over(parts(style.color), behind), behind);
    if (found < 4.5) faults.push(`contrast ${found.toFixed(2)}: ${words}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || seen.has(one) || !isShown(one) || one.closest('script, style, option, [disabled]')) continue;
    seen.add(one);
    letters(one, getComputedStyle(one), ground(one), called(one));
  }
  for (const one of document.querySelectorAll('body *')) {
    if (!isShown(one)) continue;
    const before = getComputedStyle(one, '::before');
    if (/^"[^"]+"$|^attr/.test(before.content)) {
      const own = parts(before.backgroundColor);
      letters(one, before, own[3] === 1 ? own.slice(0, 3) : over(own, ground(one)), `before ${called(one)}`);
    }
    if (one.placeholder) letters(one, getComputedStyle(one, '::placeholder'), ground(one), `placeholder of ${called(one)}`);
    if (one.matches('input:not([type=hidden]), select, textarea')) letters(one, getComputedStyle(one), ground(one), `field ${called(one)}`);
  }
  for (const one of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, label.choice')) {
    if (!isShown(one) || (one.closest('label.choice') && one.tagName === 'INPUT')) continue;
    const box = one.getBoundingClientRect();
    const least = one.matches('.button, .mic, .choice, .doors a, .row, .voice, textarea') ? 60 : 44;
    if (box.height < least - 0.5) faults.push(`${box.height.toFixed(1)} px high instead of ${least}: ${called(one)}`);
    if (box.width < 43.5) faults.push(`${box.width.toFixed(1)} px wide: ${called(one)}`);
  }
  for (const one of document.querySelectorAll('input:not([type=hidden]), select, textarea')) {
    if (!one.labels.length && !one.getAttribute('aria-label')) faults.push(`no label: ${called(one)}`);
  }
  for (const one of document.querySelectorAll('img')) {
    if (!one.hasAttribute('alt')) faults.push(`no alternative: ${one.src}`);
    if (one.complete && one.loading !== 'lazy' && !one.naturalWidth) faults.push(`broken picture: ${one.src}`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) faults.push(`two things are called #${id}`);
  return faults.concat(crowd());

  function crowd() {
    const width = document.documentElement.clientWidth;
    return document.documentElement.scrollWidth > width ? [`scrolls sideways: ${document.documentElement.scrollWidth} px in ${width}`] : [];
  }
}

/** What does not fit: a page that scrolls sideways, words cut off in what one presses. */
export function crowded() {
  const faults = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = [...document.querySelectorAll('body *')].filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > width + 1);
    const named = wide.slice(-3).map((one) => `<${one.tagName.toLowerCase()}.${one.className}> “${(one.innerText || '').slice(0, 16)}” ${Math.round(one.getBoundingClientRect().right)}`);
    faults.push(`scrolls sideways, ${document.documentElement.scrollWidth} px: ${named.join('; ')}`);
  }
  for (const one of document.querySelectorAll('button, .button, summary, .choice, .doors a, .tag, h1, h2')) {
    if (!one.checkVisibility() || one.closest('.skip, .hide')) continue;
    if (one.scrollWidth > one.clientWidth + 2 || one.scrollHeight > one.clientHeight + 6) {
      if (getComputedStyle(one).display !== 'inline') faults.push(`cut off: “${one.innerText.slice(0, 20)}” ${one.scrollWidth}x${one.scrollHeight} in ${one.clientWidth}x${one.clientHeight}`);
    }
  }
  return faults;
}

/** As WeChat does for who wants larger letters: all text, and only the text, grows by 40 %. */
export function enlarge() {
  const all = [...document.querySelectorAll('body, body *')];
  const sizes = all.map((one) => parseFloat(getComputedStyle(one).fontSize));
  all.forEach((one, at) => { one.style.fontSize = `${sizes[at] * 1.4}px`; });
}

export function restore() {
  for (const one of document.querySelectorAll('body, body *')) one.style.fontSize = '';
}
