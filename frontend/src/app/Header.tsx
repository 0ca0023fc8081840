import { ActionIcon, Menu, Title, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconLanguage, IconMoon, IconSun } from '@tabler/icons-react';
import { Link } from '../components/Link';
import { chooseLanguage, LANGUAGES, useLanguage, useWords, type Language } from '../lib/i18n/language';
import { usePlace } from '../lib/router';
import css from './Header.module.css';
import { VIEWS } from './views';

const SCHEMES = {
  auto: { next: 'light', Icon: IconDeviceDesktop },
  light: { next: 'dark', Icon: IconSun },
  dark: { next: 'auto', Icon: IconMoon },
} as const;

/** Product name, navigation, language and colour scheme; on narrow screens the navigation is at the bottom. */
export function Header({ resultAddress }: { resultAddress?: string }) {
  const { product } = useWords();
  return (
    <header className={css.header}>
      <Link href="/" className={css.brand}>
        <img src="/icon.svg" alt="" width={32} height={32} />
        <Title order={1} size="h4">
          {product}
        </Title>
      </Link>
      <Navigation resultAddress={resultAddress} />
      <div className={css.switches}>
        <LanguageMenu />
        <ColourSwitch />
      </div>
    </header>
  );
}

/** From another view, the Analyse link leads back to the current result; from the result, to the start. */
function Navigation({ resultAddress }: { resultAddress?: string }) {
  const { navigation, views } = useWords();
  const { path } = usePlace();
  return (
    <nav className={css.navigation} aria-label={navigation}>
      {VIEWS.map(({ name, address, Icon }) => (
        <Link
          key={name}
          href={name === 'analyse' && path !== address && resultAddress ? resultAddress : address}
          aria-current={path === address ? 'page' : undefined}
        >
          <Icon aria-hidden size={20} stroke={1.7} />
          {views[name]}
        </Link>
      ))}
    </nav>
  );
}

function LanguageMenu() {
  const words = useWords();
  const chosen = useLanguage();
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="default" size="lg" aria-label={`${words.language}: ${LANGUAGES[chosen].name}`} title={words.language}>
          <IconLanguage aria-hidden size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={chosen} onChange={(language) => void chooseLanguage(language as Language)}>
          {(Object.keys(LANGUAGES) as Language[]).map((language) => (
            <Menu.RadioItem key={language} value={language} lang={language} closeMenuOnClick>
              {LANGUAGES[language].name}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}

function ColourSwitch() {
  const { colours } = useWords();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { next, Icon } = SCHEMES[colorScheme];
  return (
    <ActionIcon
      variant="default"
      size="lg"
      aria-label={colours[colorScheme]}
      title={colours[colorScheme]}
      onClick={() => setColorScheme(next)}
    >
      <Icon aria-hidden size={18} />
    </ActionIcon>
  );
}
