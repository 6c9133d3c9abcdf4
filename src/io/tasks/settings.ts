import { SETTINGS_FILE, type MailboxSettings, parseSettings, settingsText } from '../../core/mailbox/settings.ts';
import { inTaskFolder } from './ground.ts';

const MOST_BYTES = 256 * 1024;

/** What a pass left for the agent's side; as usual where it left nothing. */
export function readSettings(tasksDirectory: string): MailboxSettings {
  const found = inTaskFolder(tasksDirectory, (folder) => folder.read(SETTINGS_FILE, MOST_BYTES));
  return parseSettings(found?.text ?? '');
}

/**
 * Leaves the settings where they are not already, once there is a task folder. Where that cannot be, the agents go by the
 * usual ones, and whatever is wrong with the folder is said when a task is to be written there.
 */
export function publishSettings(tasksDirectory: string, settings: MailboxSettings): void {
  const text = settingsText(settings);
  try {
    inTaskFolder(tasksDirectory, (folder) => {
      if (folder.read(SETTINGS_FILE, MOST_BYTES)?.text !== text) folder.replace(SETTINGS_FILE, text);
    });
  } catch {
    // Said elsewhere.
  }
}

/** Whether that is a task folder which a pass has been to. */
export function hasSettings(tasksDirectory: string): boolean {
  return inTaskFolder(tasksDirectory, (folder) => folder.look(SETTINGS_FILE)?.kind === 'file') ?? false;
}
