using System.Text;
using AgentMesh.Cli.Output;

namespace AgentMesh.Cli.Repl;

/// <summary>
/// One line from a person at a terminal, with editing, history and completion. Lines that are pasted together are returned one by one:
/// what is waiting in the terminal's buffer after Enter is simply the next line.
/// </summary>
/// <param name="panel">What Ctrl+T shows below the line, anew each second, until a key is pressed.</param>
internal sealed class LineEditor(History history, Func<string, IReadOnlyList<string>> complete, Func<IReadOnlyList<string>>? panel = null)
{
    private static readonly TimeSpan PanelEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan KeyWithin = TimeSpan.FromMilliseconds(50);


    private readonly StringBuilder _line = new();
    private int _at;
    private int _shown;
    private string _prompt = "";
    private HistorySearch? _search;
    private string _lastSearch = "";

    /// <summary>Null at the end of the input (Ctrl+D on an empty line); an empty text after Ctrl+C.</summary>
    public string? Read(string prompt)
    {
        _prompt = prompt;
        _line.Clear();
        _at = 0;
        _shown = 0;
        _search = null;
        history.StartAtEnd();
        Redraw();
        Console.TreatControlCAsInput = true;
        try
        {
            while (true)
            {
                ConsoleKeyInfo key = Console.ReadKey(intercept: true);
                if (_search is { } search && Search(search, key))
                {
                    Redraw();
                    continue;
                }

                if (key.Key == ConsoleKey.Enter)
                {
                    Redraw();
                    Console.WriteLine();
                    history.Add(_line.ToString());
                    return _line.ToString();
                }

                if (IsControl(key, 'D') && _line.Length == 0)
                {
                    Console.WriteLine();
                    return null;
                }

                if (IsControl(key, 'C'))
                {
                    Console.WriteLine("^C");
                    return "";
                }

                Apply(key);
                Redraw();
            }
        }
        finally
        {
            Console.TreatControlCAsInput = false;
        }
    }

    private static bool IsControl(ConsoleKeyInfo key, char letter) =>
        (key.Modifiers.HasFlag(ConsoleModifiers.Control) && (int)key.Key == letter) || key.KeyChar == letter - '@';

    /// <summary>A key while earlier lines are looked for.</summary>
    /// <returns>False where it ends that, with the line that was found, and is one for that line.</returns>
    private bool Search(HistorySearch search, ConsoleKeyInfo key)
    {
        if (IsControl(key, 'R'))
        {
            search.Older(_lastSearch);
        }
        else if (IsControl(key, 'S'))
        {
            search.Newer();
        }
        else if (key.Key == ConsoleKey.Backspace)
        {
            search.Erase();
        }
        else if (IsControl(key, 'G'))
        {
            _search = null;
        }
        else if (key.KeyChar >= ' ' && !char.IsControl(key.KeyChar))
        {
            search.Type(key.KeyChar);
        }
        else
        {
            _lastSearch = search.Text.Length > 0 ? search.Text : _lastSearch;
            _search = null;
            Replace(search.Found);
            history.Edited();
            return key.Key == ConsoleKey.Escape;
        }

        return true;
    }

    private void Apply(ConsoleKeyInfo key)
    {
        if (key.Key is not (ConsoleKey.UpArrow or ConsoleKey.DownArrow or ConsoleKey.LeftArrow or ConsoleKey.RightArrow))
        {
            history.Edited();
        }

        switch (key.Key)
        {
            case ConsoleKey.LeftArrow when _at > 0:
                _at--;
                break;
            case ConsoleKey.RightArrow when _at < _line.Length:
                _at++;
                break;
            case ConsoleKey.Home:
                _at = 0;
                break;
            case ConsoleKey.End:
                _at = _line.Length;
                break;
            case ConsoleKey.UpArrow:
                Replace(history.Older(_line.ToString()));
                break;
            case ConsoleKey.DownArrow:
                Replace(history.Newer(_line.ToString()));
                break;
            case ConsoleKey.Backspace when _at > 0:
                _line.Remove(--_at, 1);
                break;
            case ConsoleKey.Delete when _at < _line.Length:
                _line.Remove(_at, 1);
                break;
            case ConsoleKey.Tab:
                Complete();
                break;
            case ConsoleKey.Escape:
                Replace("");
                break;
            default:
                ApplyControl(key);
                break;
        }
    }

    private void ApplyControl(ConsoleKeyInfo key)
    {
        if (IsControl(key, 'R') || IsControl(key, 'S'))
        {
            _search = new HistorySearch(history.Lines);
        }
        else if (IsControl(key, 'T') && panel is not null)
        {
            ShowPanel(panel);
        }
        else if (IsControl(key, 'A'))
        {
            _at = 0;
        }
        else if (IsControl(key, 'E'))
        {
            _at = _line.Length;
        }
        else if (IsControl(key, 'U'))
        {
            _line.Remove(0, _at);
            _at = 0;
        }
        else if (IsControl(key, 'K'))
        {
            _line.Length = _at;
        }
        else if (IsControl(key, 'W'))
        {
            int start = _at;
            while (start > 0 && _line[start - 1] == ' ')
            {
                start--;
            }

            while (start > 0 && _line[start - 1] != ' ')
            {
                start--;
            }

            _line.Remove(start, _at - start);
            _at = start;
        }
        else if (!char.IsControl(key.KeyChar))
        {
            _line.Insert(_at++, key.KeyChar);
        }
    }

    private void Replace(string? text)
    {
        if (text is not null)
        {
            _line.Clear().Append(text);
            _at = _line.Length;
        }
    }

    private void Complete()
    {
        string before = _line.ToString(0, _at);
        string word = before[(before.LastIndexOf(' ') + 1)..];
        IReadOnlyList<string> found = complete(before);
        if (found.Count == 0)
        {
            return;
        }

        string common = CommonStart(found);
        if (common.Length > word.Length)
        {
            string rest = common[word.Length..] + (found.Count == 1 && !common.EndsWith('/') && !common.EndsWith(':') ? " " : "");
            _line.Insert(_at, rest);
            _at += rest.Length;
        }
        else if (found.Count > 1)
        {
            Console.WriteLine();
            Console.WriteLine(string.Join("  ", found));
            _shown = 0;
            Console.Write(_prompt);
        }
    }

    internal static string CommonStart(IReadOnlyList<string> words)
    {
        string first = words[0];
        int length = words.Min(word => word.Length);
        int same = 0;
        while (same < length && words.All(word => word[same] == first[same]))
        {
            same++;
        }

        return first[..same];
    }

    /// <summary>Until a key is pressed, which is then one for the line.</summary>
    private void ShowPanel(Func<IReadOnlyList<string>> panel)
    {
        Console.WriteLine();
        LiveLines live = LiveLines.OnStdout;
        long drawn = 0;
        while (!Console.KeyAvailable)
        {
            if (drawn == 0 || TimeProvider.System.GetElapsedTime(drawn) >= PanelEvery)
            {
                live.Draw([.. panel(), "", "any key goes on"]);
                drawn = TimeProvider.System.GetTimestamp();
            }

            Task.Delay(KeyWithin, TimeProvider.System).Wait();
        }

        live.Erase();
        _shown = 0;
    }

    // The line is written anew from its start: a REPL line is short, and this needs no knowledge of the terminal.
    private void Redraw()
    {
        string prompt = _search?.Prompt ?? _prompt, text = _search is { } search ? search.Found ?? "" : _line.ToString();
        int at = _search is null ? _at : text.Length, length = prompt.Length + text.Length;
        int erase = Math.Max(0, _shown - length);
        Console.Write("\r" + prompt + text + new string(' ', erase) + new string('\b', erase + text.Length - at));
        _shown = length;
    }
}
