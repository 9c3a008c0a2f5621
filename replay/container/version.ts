/** Version of this tool, as in package.json (a test compares them): traces say which one wrote them. */
export const TOOL_VERSION = '0.1.0';
