/**
 * Campaign files that come with the package: properties/campaigns/plans/NAME.yaml. In the order in which help lists
 * them.
 */
export const BUNDLED_PLANS: readonly string[] = [
  'smoke',
  'paper',
  'ladders',
  'team',
  'checks',
  'privileged',
  'classes',
  'guests',
];
