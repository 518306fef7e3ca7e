// Numbers for people, and elements.

const whole = new Intl.NumberFormat('en', {maximumFractionDigits: 0});
const NONE = '–';

/** Microseconds. */
export function duration(micros) {
  if (micros === null || micros === undefined) return NONE;
  if (micros === 0) return '0';
  if (micros < 1000) return `${Math.round(micros)} µs`;
  const millis = micros / 1000;
  if (millis < 10) return `${millis.toFixed(1)} ms`;
  if (millis < 1000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1000;
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

export function count(value) {
  return value === null || value === undefined ? NONE : whole.format(value);
}

/** Per second: small ones with a digit behind the point. */
export function rate(value) {
  if (value === null || value === undefined) return NONE;
  return value > 0 && value < 10 ? value.toFixed(1) : whole.format(value);
}

/** 0 to 1. */
export function percent(share) {
  if (share === null || share === undefined) return NONE;
  const value = share * 100;
  return `${value > 0 && value < 1 ? value.toFixed(1) : Math.round(value)} %`;
}

export function clock(millis) {
  return new Date(millis).toLocaleTimeString([], {hour12: false});
}

/** How long ago something began, in the two largest units. */
export function age(millis) {
  const minutes = Math.max(0, Math.floor(millis / 60000));
  if (minutes < 1) return 'less than a minute';
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** An element; texts are set as text, never as markup. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'text') element.textContent = value;
    else if (key === 'hidden') element.hidden = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Sets a text only if it is another one, so that nothing is laid out or read aloud anew. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
