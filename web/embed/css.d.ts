/** A style sheet taken in as text. */
declare module '*.css?inline' {
  const css: string;
  export default css;
}
