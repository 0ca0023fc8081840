/** The views, in navigation order. */
import { IconHistory, IconInfoCircle, IconMicrophone, IconStack2, IconUsers, IconWaveSine } from '@tabler/icons-react';

export const VIEWS = [
  { name: 'analyse', address: '/', Icon: IconWaveSine },
  { name: 'live', address: '/live', Icon: IconMicrophone },
  { name: 'batch', address: '/batch', Icon: IconStack2 },
  { name: 'sessions', address: '/sessions', Icon: IconHistory },
  { name: 'voices', address: '/voices', Icon: IconUsers },
  { name: 'about', address: '/about', Icon: IconInfoCircle },
] as const;
