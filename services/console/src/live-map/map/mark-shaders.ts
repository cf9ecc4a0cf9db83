/** One square per mark, turned by its heading and measured in CSS pixels. */
export const markVertexShader = `#version 300 es
precision highp float;
in vec2 a_corner;
in vec2 a_place;
in vec4 a_look;
in float a_opacity;
uniform vec2 u_clip_per_world;
uniform vec2 u_clip_per_pixel;
out vec2 v_at;
flat out float v_radius;
flat out int v_shape;
flat out int v_colour;
flat out float v_opacity;

void main() {
  v_radius = a_look.x;
  v_shape = int(a_look.z);
  v_colour = int(a_look.w);
  v_opacity = a_opacity;
  v_at = a_corner * (v_radius + 3.0);
  float s = sin(a_look.y);
  float c = cos(a_look.y);
  vec2 turned = vec2(v_at.x * c - v_at.y * s, v_at.x * s + v_at.y * c);
  vec2 clip = a_place * u_clip_per_world + turned * u_clip_per_pixel;
  gl_Position = vec4(clip.x, -clip.y, 0.0, 1.0);
}`;

/**
 * Shapes as signed distances, so that they are sharp at every size and pixel density. Each has a casing in the colour of the ground,
 * which keeps neighbours apart. Polygon distance: Inigo Quilez, https://iquilezles.org/articles/distfunctions2d/
 */
export const markFragmentShader = `#version 300 es
precision highp float;
in vec2 v_at;
flat in float v_radius;
flat in int v_shape;
flat in int v_colour;
flat in float v_opacity;
uniform vec3 u_palette[7];
uniform float u_soft;
out vec4 colour;

const vec2 arrow[4] = vec2[4](vec2(0.0, -1.0), vec2(0.76, 0.86), vec2(0.0, 0.48), vec2(-0.76, 0.86));

float toArrow(vec2 at) {
  float nearest = dot(at - arrow[0], at - arrow[0]);
  float side = 1.0;
  for (int i = 0, j = 3; i < 4; j = i, i++) {
    vec2 edge = arrow[j] - arrow[i];
    vec2 way = at - arrow[i];
    vec2 off = way - edge * clamp(dot(way, edge) / dot(edge, edge), 0.0, 1.0);
    nearest = min(nearest, dot(off, off));
    bvec3 crosses = bvec3(at.y >= arrow[i].y, at.y < arrow[j].y, edge.x * way.y > edge.y * way.x);
    if (all(crosses) || all(not(crosses))) side = -side;
  }
  return side * sqrt(nearest);
}

float toSquare(vec2 at, float reach, float round) {
  vec2 off = abs(at) - (reach - round);
  return length(max(off, 0.0)) + min(max(off.x, off.y), 0.0) - round;
}

float covered(float distance) {
  return 1.0 - smoothstep(-u_soft, u_soft, distance);
}

void main() {
  vec3 body = u_palette[v_colour];
  vec3 casing = u_palette[0];
  if (v_shape >= 5 && v_shape <= 6) {
    float toEdge = length(v_at) - v_radius;
    float line = covered(abs(toEdge) - (v_shape == 5 ? 1.0 : 0.5));
    float fill = v_shape == 6 ? covered(toEdge) * 0.13 : 0.0;
    float alpha = max(line * (v_shape == 5 ? 0.95 : 0.55), fill) * v_opacity;
    colour = vec4(body * alpha, alpha);
    return;
  }
  float edge;
  if (v_shape <= 1) edge = toArrow(v_at / v_radius) * v_radius - 0.7;
  else if (v_shape == 4) edge = toSquare(v_at, v_radius * 0.72, 1.5);
  else edge = length(v_at) - v_radius * (v_shape == 7 ? 1.0 : 0.62);
  float outline = v_shape == 7 ? 3.0 : 1.6;
  bool isHollow = v_shape == 1 || v_shape == 3 || v_shape == 4;
  float ink = isHollow ? covered(abs(edge + 0.9) - 0.9) : covered(edge);
  float ground = covered(edge - outline) * (isHollow ? 0.92 : 0.85);
  if (v_shape == 7) ground = covered(edge - outline) * 0.35;
  vec3 mixed = v_shape == 7 ? body : mix(casing, body, ink);
  float alpha = max(ground, ink) * v_opacity;
  colour = vec4(mixed * alpha, alpha);
}`;
