import { Button, Loader, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconTrash } from '@tabler/icons-react';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { ConfirmDelete } from '../../components/Dialog';
import layout from '../../components/layout.module.css';
import { Link } from '../../components/Link';
import { ServerProblem } from '../../components/Problem';
import { useAnnounced } from '../../lib/announce';
import { asApiError, deleteSession, deleteSessions, renameSession, sessionsQuery, type Summary } from '../../lib/api';
import { useKeptFocus } from '../../lib/focus';
import { useWords } from '../../lib/i18n/language';
import { Rename } from './Rename';
import { Row } from './Row';
import css from './sessions.module.css';

const PAGE = 30;

type Dialog = { kind: 'rename' | 'delete'; session: Summary } | { kind: 'all' } | null;

interface Props {
  /** Renders the export menu of a session. */
  exports: (session: Summary) => ReactNode;
}

/** The Sessions view: searches, renames, exports and deletes this browser's stored results. */
export function Sessions({ exports }: Props) {
  const { sessions: words } = useWords();
  const [search, setSearch] = useState('');
  const [offset, setOffset] = useState(0);
  const [dialog, setDialog] = useState<Dialog>(null);
  const [wanted] = useDebouncedValue(search.trim(), 250);
  const { data, error, refetch, isPlaceholderData } = useQuery({
    ...sessionsQuery({ search: wanted, offset, limit: PAGE }),
    placeholderData: keepPreviousData,
  });
  const last = data && !isPlaceholderData ? PAGE * Math.max(0, Math.ceil(data.total / PAGE) - 1) : offset;
  if (offset > last) setOffset(last); // every session of the last page was deleted
  const close = () => setDialog(null);
  const rename = useSessionMutation(({ id, title }: { id: string; title: string }) => renameSession(id, title), close);
  const remove = useSessionMutation((id: string | null) => (id ? deleteSession(id) : deleteSessions()), close);
  const ask = (about: Dialog) => {
    rename.reset();
    remove.reset();
    setDialog(about);
  };
  const kept = useKeptFocus();
  const searchable = data && (data.total > 0 || wanted);
  useAnnounced(searchable ? words.count(data.total) : '');

  return (
    <>
      <div className={layout.intro}>
        <h2>{words.title}</h2>
        <p>{words.subtitle}</p>
      </div>
      <section className={layout.card} aria-label={words.title} {...kept}>
        {error && <ServerProblem error={asApiError(error)} onRetry={() => void refetch()} />}
        {!data && !error && <Loader className={layout.waiting} aria-label={words.loading} />}
        {searchable && (
          <div className={layout.listHead}>
            <TextInput
              type="search"
              aria-label={words.search}
              placeholder={words.search}
              leftSection={<IconSearch aria-hidden size={16} />}
              value={search}
              onChange={({ currentTarget }) => {
                setSearch(currentTarget.value);
                setOffset(0);
              }}
            />
            <Text size="sm" c="dimmed">
              {words.count(data.total)}
            </Text>
            <Button variant="default" color="red" leftSection={<IconTrash aria-hidden size={16} />} onClick={() => ask({ kind: 'all' })}>
              {words.deleteAll}
            </Button>
          </div>
        )}
        {data && data.total === 0 && <EmptyList searched={wanted} />}
        {data && data.sessions.length > 0 && (
          <ul className={css.sessions}>
            {data.sessions.map((session) => (
              <Row
                key={session.id}
                session={session}
                exports={exports(session)}
                onRename={() => ask({ kind: 'rename', session })}
                onDelete={() => ask({ kind: 'delete', session })}
              />
            ))}
          </ul>
        )}
        {data && data.total > PAGE && (
          <div className={layout.actions}>
            <Button variant="default" disabled={offset === 0} onClick={() => setOffset((now) => Math.max(0, now - PAGE))}>
              {words.newer}
            </Button>
            <Button variant="default" disabled={offset + PAGE >= data.total} onClick={() => setOffset((now) => now + PAGE)}>
              {words.older}
            </Button>
          </div>
        )}
      </section>
      {dialog?.kind === 'rename' && (
        <Rename
          title={dialog.session.title}
          error={rename.error}
          onClose={close}
          onRename={(title) => rename.mutate({ id: dialog.session.id, title })}
        />
      )}
      {(dialog?.kind === 'delete' || dialog?.kind === 'all') && (
        <ConfirmDelete
          sentence={dialog.kind === 'all' ? words.confirmAll : words.confirmOne(dialog.session.title)}
          error={remove.error}
          onClose={close}
          onDelete={() => remove.mutate(dialog.kind === 'all' ? null : dialog.session.id)}
        />
      )}
    </>
  );
}

function EmptyList({ searched }: { searched: string }) {
  const { sessions: words } = useWords();
  return (
    <div className={layout.nothing}>
      <Title order={3} size="h4">
        {searched ? words.noneFound(searched) : words.none}
      </Title>
      {!searched && (
        <Text mt={6}>
          {words.noneTodo} <Link href="/">{words.start}</Link>
        </Text>
      )}
    </div>
  );
}

/** A mutation that refetches the list afterwards, also after a failure. */
function useSessionMutation<Variables>(change: (variables: Variables) => Promise<void>, onSuccess: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess,
    onSettled: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
}
