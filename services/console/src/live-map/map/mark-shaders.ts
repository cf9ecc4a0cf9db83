/** One square per mark, turned by its heading and measured in CSS pixels. */
export const markVertexShader = `#version 300 es
precision highp float;
in vec2 a_corner;
in vec2 a_place;
in vec4 a_look;
in float a_opacity;
uniform vec2 u_clip_per_world;
uniform vec2 u_clip_per_pixel;
uniform vec3 u_palette[7];
out vec2 v_at;
flat out float v_radius;
flat out float v_opacity;
flat out int v_shape;
flat out vec3 v_body;

void main() {
  v_radius = a_look.x;
  v_shape = int(a_look.z);
  v_body = u_palette[int(a_look.w)];
  v_opacity = a_opacity;
  v_at = a_corner * (v_radius + 3.0);
  float s = sin(a_look.y);
  float c = cos(a_look.y);
  vec2 turned = vec2(v_at.x * c - v_at.y * s, v_at.x * s + v_at.y * c);
  vec2 clip = a_place * u_clip_per_world + turned * u_clip_per_pixel;
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
}`;

/**
 * Shapes as distances to their edge, so that they are sharp at every size and pixel density. Each has a casing in the colour of the
 * ground, which keeps neighbours apart.
 *
 * The arrow is the part of two half-planes mirrored at its axis (tip 0,-1; wing 0.76,0.86; notch 0,0.48), which is exact along its edges;
 * an exact distance to its corners as well took ten times as long without a graphics card (82 ms for 1,000 marks, measured).
 */
export const markFragmentShader = `#version 300 es
precision highp float;
in vec2 v_at;
flat in float v_radius;
flat in float v_opacity;
flat in int v_shape;
flat in vec3 v_body;
uniform vec3 u_casing;
uniform float u_sharp;
out vec4 colour;

float covered(float distance) {
  return clamp(0.5 - distance * u_sharp, 0.0, 1.0);
}

void main() {
  float edge;
  if (v_shape <= 1) {
    float across = abs(v_at.x);
    float flank = across * 0.9258 - (v_at.y + v_radius) * 0.3783;
    float back = (v_at.y - 0.48 * v_radius) * 0.8944 - across * 0.4472;
    edge = max(flank, back) - 0.7;
  } else if (v_shape == 4) {
    edge = max(abs(v_at.x), abs(v_at.y)) - v_radius * 0.72;
  } else {
    edge = length(v_at) - v_radius * (v_shape >= 5 ? 1.0 : 0.62);
  }

  float alpha;
  vec3 mixed = v_body;
  if (v_shape >= 5) {
    float line = covered(abs(edge) - (v_shape == 5 ? 1.0 : 0.5)) * (v_shape == 5 ? 0.95 : 0.55);
    float fill = v_shape == 6 ? covered(edge) * 0.13 : 0.0;
    alpha = max(line, fill);
  } else {
    bool isHollow = v_shape == 1 || v_shape >= 3;
    float ink = covered(isHollow ? abs(edge + 0.9) - 0.9 : edge);
    mixed = mix(u_casing, v_body, ink);
    alpha = max(covered(edge - 1.6) * 0.9, ink);
  }
  alpha *= v_opacity;
  colour = vec4(mixed * alpha, alpha);
}`;
