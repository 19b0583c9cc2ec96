// WebM file of one video track: the elements of Matroska (RFC 9559) that players need, in EBML (RFC 8794).

/** @typedef {{data: Uint8Array<ArrayBuffer>, ms: number, key: boolean}} Frame encoded; `key`: without reference to others */
/** @typedef {{codec: string, width: number, height: number, framesPerSecond: number}} Track */

const APPLICATION = 'Soundglass';
// codes of ITU-T H.273 by WebCodecs' names
const PRIMARIES = { bt709: 1, bt470bg: 5, smpte170m: 6, bt2020: 9, smpte432: 12 };
const TRANSFERS = { bt709: 1, smpte170m: 6, linear: 8, 'iec61966-2-1': 13, pq: 16, hlg: 18 };
const MATRICES = { rgb: 0, bt709: 1, bt470bg: 5, smpte170m: 6, 'bt2020-ncl': 9 };

/** A number's big-endian bytes. */
const bytes = (value, length) => Uint8Array.from({ length }, (_, i) => Math.floor(value / 256 ** (length - 1 - i)) % 256);
const lengthOf = (parts) => parts.reduce((sum, { length }) => sum + length, 0);

/** An element: its id, the length of its content in eight bytes, its content.
 * @param {number} id
 * @param {...(Uint8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>[])} content
 * @returns {Uint8Array<ArrayBuffer>[]}
 */
function element(id, ...content) {
  const parts = content.flat();
  const size = bytes(lengthOf(parts), 8);
  size[0] = 1;
  return [bytes(id, Math.ceil(Math.log2(id + 1) / 8)), size, ...parts];
}

const integer = (id, value) => element(id, bytes(value, 4));
const text = (id, value) => element(id, new TextEncoder().encode(value));
const float = (id, value) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return element(id, new Uint8Array(view.buffer));
};

/** The parts of a WebM file.
 * @param {{frames: Frame[], colour: VideoColorSpaceInit}} encoded frames in the order of time, the first of them a key frame;
 *   at most 30 s between two key frames
 * @param {Track} track
 * @param {string} title
 */
export function webm({ frames, colour }, track, title) {
  const clusters = clustersOf(frames);
  const about = [...info(frames.length, track, title), ...tracks(track, colour)];
  const cues = (starts) => element(0x1C53BB6B, ...clusters.map(({ ms }, i) => element(
    0xBB, integer(0xB3, ms), element(0xB7, integer(0xF7, 1), integer(0xF1, starts[i])),
  )));
  let at = lengthOf(about) + lengthOf(cues(clusters.map(() => 0))); // numbers have a fixed length
  const starts = clusters.map(({ parts }) => {
    at += lengthOf(parts);
    return at - lengthOf(parts);
  });
  return [
    ...element(
      0x1A45DFA3, integer(0x4286, 1), integer(0x42F7, 1), integer(0x42F2, 4), integer(0x42F3, 8),
      text(0x4282, 'webm'), integer(0x4287, 4), integer(0x4285, 2),
    ),
    ...element(0x18538067, about, cues(starts), clusters.flatMap(({ parts }) => parts)),
  ];
}

const info = (frames, { framesPerSecond }, title) => element(
  0x1549A966, integer(0x2AD7B1, 1e6), float(0x4489, (1000 * frames) / framesPerSecond), text(0x7BA9, title),
  text(0x4D80, APPLICATION), text(0x5741, APPLICATION),
);

function tracks({ codec, width, height, framesPerSecond }, colour) {
  const codes = [[0x55B1, MATRICES[colour.matrix]], [0x55B9, colour.fullRange ? 2 : 1],
    [0x55BA, TRANSFERS[colour.transfer]], [0x55BB, PRIMARIES[colour.primaries]]];
  const known = codes.filter(([, code]) => code !== undefined).map(([id, code]) => integer(id, code));
  const video = element(0xE0, integer(0xB0, width), integer(0xBA, height), element(0x55B0, ...known));
  return element(0x1654AE6B, element(
    0xAE, integer(0xD7, 1), integer(0x73C5, 1), integer(0x83, 1), integer(0x9C, 0),
    text(0x86, codec.startsWith('vp8') ? 'V_VP8' : 'V_VP9'), integer(0x23E383, Math.round(1e9 / framesPerSecond)), video,
  ));
}

/** The frames in clusters, each of which begins with a key frame. */
function clustersOf(frames) {
  const firsts = frames.flatMap(({ key }, i) => (key ? [i] : []));
  return firsts.map((first, i) => {
    const { ms } = frames[first];
    const blocks = frames.slice(first, firsts[i + 1]).map((frame) => (
      element(0xA3, bytes(0x81, 1), bytes(frame.ms - ms, 2), bytes(frame.key ? 0x80 : 0, 1), frame.data)));
    return { ms, parts: element(0x1F43B675, integer(0xE7, ms), ...blocks) };
  });
}
