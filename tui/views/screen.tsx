/**
 * Draws a Screen with ink: nothing but boxes and text. Relies on the model for every size and every character.
 */
import { Box, Text } from 'ink';
import type { Panel, Screen } from '../model/index.ts';
import type { Line } from '../panels/index.ts';
import { lookOf } from './theme.ts';

interface Colour {
  readonly colour: boolean;
}

/** One frame. */
export function ScreenView({ screen, colour }: Colour & { readonly screen: Screen }) {
  return (
    <Box flexDirection="column" width={screen.columns} height={screen.rows} overflow="hidden">
      <LinesView lines={screen.top} colour={colour} />
      {screen.panels.map((row) => (
        <Box key={row[0]!.name} columnGap={1}>
          {row.map((panel) => (
            <PanelView key={panel.name} panel={panel} colour={colour} />
          ))}
        </Box>
      ))}
      <LinesView lines={screen.bottom} colour={colour} />
    </Box>
  );
}

function PanelView({ panel, colour }: Colour & { readonly panel: Panel }) {
  return (
    <Box flexDirection="column" width={panel.width} height={panel.height} overflow="hidden">
      <LinesView lines={[panel.title, ...panel.lines]} colour={colour} />
    </Box>
  );
}

function LinesView({ lines, colour }: Colour & { readonly lines: readonly Line[] }) {
  return lines.map((line, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a row is its position on the screen
    <LineView key={row} line={line} colour={colour} />
  ));
}

function LineView({ line, colour }: Colour & { readonly line: Line }) {
  return (
    <Text wrap="truncate">
      {/* An empty Text would take no row. */}
      {line.every(({ text }) => text === '') ? ' ' : null}
      {line.map((piece, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a span is its position in the line
        <Text key={i} {...lookOf(piece.tone, colour)}>
          {piece.text}
        </Text>
      ))}
    </Text>
  );
}
