import { type MapPalette, markColours, toRgb } from '../../base-map/palette.ts';
import { floatsPerMark, type MarkBuffer } from './mark-buffer.ts';
import { markFragmentShader, markVertexShader } from './mark-shaders.ts';

const bytesPerFloat = 4;

export interface MarkCanvas {
  /** Size in CSS pixels. */
  resize(width: number, height: number): void;
  /** Draw what the buffer holds, its anchor in the middle. `pixelsPerWorld` is the width of the whole world on the screen. */
  draw(buffer: MarkBuffer, look: { pixelsPerWorld: number; palette: MapPalette }): void;
  close(): void;
}

interface MarkProgram {
  program: WebGLProgram;
  vertices: WebGLVertexArrayObject;
  instances: WebGLBuffer;
  clipPerWorld: WebGLUniformLocation | null;
  clipPerPixel: WebGLUniformLocation | null;
  sharp: WebGLUniformLocation | null;
  casing: WebGLUniformLocation | null;
  palette: WebGLUniformLocation | null;
}

/**
 * A transparent canvas over the map on which every vehicle is drawn in one call.
 *
 * Why not a layer of the map: MapLibre's symbol layer lays all symbols out again in a worker whenever one of them moves, and a custom
 * layer has the map paint all its streets again for every step of a vehicle: measured with software rendering, 2 ms of a frame were
 * vehicles and the rest streets that had not moved. Here a frame costs one upload (28 bytes a vehicle) and one instanced draw call, and
 * the map below is painted only when it moves itself.
 *
 * @throws Error where the browser has no WebGL 2
 */
export function createMarkCanvas(container: HTMLElement): MarkCanvas {
  const canvas = document.createElement('canvas');
  canvas.style.cssText = 'position:absolute;inset:0;pointer-events:none';
  canvas.setAttribute('aria-hidden', 'true');
  // The shapes are soft at their edges by themselves.
  const gl = canvas.getContext('webgl2', { antialias: false, depth: false, stencil: false });
  if (gl === null) throw new Error('This browser has no WebGL 2, which the map needs');
  container.append(canvas);
  let built = buildProgram(gl);
  let pixelRatio = 1;

  const rebuild = () => {
    built = buildProgram(gl);
  };
  // Without this the browser never gives a lost context back.
  const wait = (event: Event) => event.preventDefault();
  canvas.addEventListener('webglcontextlost', wait);
  canvas.addEventListener('webglcontextrestored', rebuild);

  return {
    resize(width, height) {
      pixelRatio = window.devicePixelRatio;
      canvas.width = Math.round(width * pixelRatio);
      canvas.height = Math.round(height * pixelRatio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    },
    draw(buffer, { pixelsPerWorld, palette }) {
      if (gl.isContextLost()) return;
      const clipPerPixelX = (2 * pixelRatio) / canvas.width;
      const clipPerPixelY = (2 * pixelRatio) / canvas.height;
      gl.viewport(0, 0, canvas.width, canvas.height);
      gl.clearColor(0, 0, 0, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      if (buffer.count === 0) return;
      gl.enable(gl.BLEND);
      gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
      gl.useProgram(built.program);
      gl.uniform2f(built.clipPerWorld, pixelsPerWorld * clipPerPixelX, pixelsPerWorld * clipPerPixelY);
      gl.uniform2f(built.clipPerPixel, clipPerPixelX, clipPerPixelY);
      // An edge is a pixel and a half of the screen wide.
      gl.uniform1f(built.sharp, pixelRatio / 1.5);
      gl.uniform3fv(built.casing, toRgb(palette.marks.casing));
      gl.uniform3fv(
        built.palette,
        markColours.flatMap((name) => toRgb(palette.marks[name])),
      );
      gl.bindVertexArray(built.vertices);
      gl.bindBuffer(gl.ARRAY_BUFFER, built.instances);
      gl.bufferData(gl.ARRAY_BUFFER, buffer.floats.subarray(0, buffer.count * floatsPerMark), gl.STREAM_DRAW);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, buffer.count);
    },
    close() {
      canvas.removeEventListener('webglcontextlost', wait);
      canvas.removeEventListener('webglcontextrestored', rebuild);
      // Browsers allow few contexts at a time: give this one back now, not when the garbage is collected.
      gl.getExtension('WEBGL_lose_context')?.loseContext();
      canvas.remove();
    },
  };
}

function buildProgram(gl: WebGL2RenderingContext): MarkProgram {
  const program = gl.createProgram();
  for (const [type, source] of [
    [gl.VERTEX_SHADER, markVertexShader],
    [gl.FRAGMENT_SHADER, markFragmentShader],
  ] as const) {
    const shader = gl.createShader(type);
    if (shader === null) throw new Error('The graphics context is lost');
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
    gl.deleteShader(shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(`The vehicle shader does not link: ${gl.getProgramInfoLog(program)}`);
  }
  const instances = gl.createBuffer();
  return {
    program,
    instances,
    vertices: describeVertices(gl, program, instances),
    clipPerWorld: gl.getUniformLocation(program, 'u_clip_per_world'),
    clipPerPixel: gl.getUniformLocation(program, 'u_clip_per_pixel'),
    sharp: gl.getUniformLocation(program, 'u_sharp'),
    casing: gl.getUniformLocation(program, 'u_casing'),
    palette: gl.getUniformLocation(program, 'u_palette'),
  };
}

function describeVertices(
  gl: WebGL2RenderingContext,
  program: WebGLProgram,
  instances: WebGLBuffer,
): WebGLVertexArrayObject {
  const vertices = gl.createVertexArray();
  gl.bindVertexArray(vertices);

  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 1, -1, -1, 1, 1, 1]), gl.STATIC_DRAW);
  const corner = gl.getAttribLocation(program, 'a_corner');
  gl.enableVertexAttribArray(corner);
  gl.vertexAttribPointer(corner, 2, gl.FLOAT, false, 0, 0);

  gl.bindBuffer(gl.ARRAY_BUFFER, instances);
  for (const [name, size, offset] of [
    ['a_place', 2, 0],
    ['a_look', 4, 2],
    ['a_opacity', 1, 6],
  ] as const) {
    const location = gl.getAttribLocation(program, name);
    gl.enableVertexAttribArray(location);
    gl.vertexAttribPointer(location, size, gl.FLOAT, false, floatsPerMark * bytesPerFloat, offset * bytesPerFloat);
    gl.vertexAttribDivisor(location, 1);
  }
  return vertices;
}
