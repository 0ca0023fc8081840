import { ActionIcon, Anchor, Group, Title, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconMoon, IconSun } from '@tabler/icons-react';

const SCHEMES = {
  auto: { next: 'light', label: 'Colours: as the system', Icon: IconDeviceDesktop },
  light: { next: 'dark', label: 'Colours: light', Icon: IconSun },
  dark: { next: 'auto', label: 'Colours: dark', Icon: IconMoon },
} as const;

export function Header() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { next, label, Icon } = SCHEMES[colorScheme];
  return (
    <header className="header">
      <Group gap={10} wrap="nowrap">
        <img src="/icon.svg" alt="" width={32} height={32} />
        <Title order={1} size="h4">
          Speech Emotion
        </Title>
      </Group>
      <Group gap="md" wrap="nowrap">
        <Anchor href="/docs" c="inherit" size="sm" underline="hover">
          API
        </Anchor>
        <ActionIcon variant="default" size="lg" aria-label={label} title={label} onClick={() => setColorScheme(next)}>
          <Icon aria-hidden size={18} />
        </ActionIcon>
      </Group>
    </header>
  );
}
