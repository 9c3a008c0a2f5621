/** The terminal UI in a terminal, and one frame of it as text. */
export { runApp } from './app.tsx';
export { frameText } from './frame.tsx';
