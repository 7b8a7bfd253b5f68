using System.Collections.Immutable;
using AgentMesh.Errors;
using AgentMesh.Mesh.Commands;

namespace AgentMesh.Mesh.Selectors;

public enum SelectorKind
{
    /// <summary>One device by name, number, the beginning of its id or part of an address.</summary>
    Device,

    Everybody,

    /// <summary>Every device with a label.</summary>
    EachWith,

    /// <summary>The least busy device with a label.</summary>
    OneWith,
}

/// <param name="Value">The device as it was named, or the label; empty for everybody.</param>
/// <param name="At">Index of the value in <see cref="Selector.Text"/>.</param>
public sealed record SelectorTerm(SelectorKind Kind, string Value, int At);

/// <summary>
/// For whom a line is:
/// <code>
/// selector = term *( "," term )
/// term     = ["@"] ( "all" / "label:" label / "any(" label ")" / "any:" label / device )
/// label    = name [ "=" value ]
/// </code>
/// <c>any:LABEL</c> is <c>any(LABEL)</c> for shells, where parentheses need quotes.
/// </summary>
/// <param name="Text">With the leading @.</param>
public sealed record Selector(string Text, ImmutableArray<SelectorTerm> Terms)
{
    public const int TermsMax = 1_000;

    private const string Any = "any", Label = "label";
    private const string Forms = "write @NAME, @NUMBER, @ID-PREFIX, @all, @label:LABEL, @any(LABEL), or several with commas between";

    /// <summary>Set when it names one device and nothing else: for what is about one device.</summary>
    public string? SingleDevice => Terms is [{ Kind: SelectorKind.Device, Value: var device }] ? device : null;

    /// <param name="text">With or without the leading @.</param>
    /// <exception cref="MeshException">AM0350 with the position.</exception>
    public static Selector Parse(string text)
    {
        string whole = text.StartsWith('@') ? text : "@" + text;
        ImmutableArray<SelectorTerm>.Builder terms = ImmutableArray.CreateBuilder<SelectorTerm>();
        int at = 0;
        while (true)
        {
            int end = EndOfTerm(whole, at);
            terms.Add(Term(whole, at, end));
            if (end == whole.Length)
            {
                return new Selector(whole, terms.ToImmutable());
            }

            if (terms.Count == TermsMax)
            {
                throw Wrong(whole, end, $"{TermsMax} devices and labels are the most", "give the devices a common label and use @label:LABEL");
            }

            at = end + 1;
        }
    }

    /// <param name="at">Index of the character that is wrong.</param>
    internal static MeshException Wrong(string whole, int at, string what, string next, string code = MeshErrors.SelectorSyntax) => CommandSyntax.Error(whole, at, what, next, code);

    private static int EndOfTerm(string whole, int at)
    {
        int end = whole.IndexOf(',', at);
        return end < 0 ? whole.Length : end;
    }

    private static SelectorTerm Term(string whole, int from, int end)
    {
        int at = from < end && whole[from] == '@' ? from + 1 : from;
        string term = whole[at..end];
        if (term.Length == 0)
        {
            throw Wrong(whole, at, "a device or a label is expected", Forms);
        }

        if (term == CommandLine.Everybody)
        {
            return new SelectorTerm(SelectorKind.Everybody, "", at);
        }

        int mark = term.AsSpan().IndexOfAny('(', ':');
        string word = mark < 0 ? "" : term[..mark];
        int value = at + mark + 1;
        switch (word, mark < 0 ? ' ' : term[mark])
        {
            case (Any, '('):
                return term[^1] == ')'
                    ? new SelectorTerm(SelectorKind.OneWith, ReadLabel(whole, value, end - 1), value)
                    : throw Wrong(whole, end, "')' is expected", "write @any(LABEL), in a shell with quotes around it, or @any:LABEL");
            case (Any, ':'):
                return new SelectorTerm(SelectorKind.OneWith, ReadLabel(whole, value, end), value);
            case (Label, ':'):
                return new SelectorTerm(SelectorKind.EachWith, ReadLabel(whole, value, end), value);
            case (_, '('):
                throw Wrong(whole, at, $"'{word}(' is nothing that a selector knows", Nearest.Of(word, [Any]) is null ? Forms : "did you mean @any(LABEL)?");
            case ({ Length: > 0 }, ':') when Nearest.Of(word, [Any, Label]) is { } meant && DeviceLabel.IsValid(term[(mark + 1)..]):
                throw Wrong(whole, at, $"'{word}:' is nothing that a selector knows", $"did you mean @{meant}:{term[(mark + 1)..]}?");
            default:
                return new SelectorTerm(SelectorKind.Device, term, at);
        }
    }

    private static string ReadLabel(string whole, int from, int end)
    {
        string label = whole[from..end];
        return DeviceLabel.FirstWrong(label) is { } wrong
            ? throw Wrong(whole, from + wrong, wrong == label.Length ? "a label is expected" : $"'{label[wrong]}' cannot be in a label there", DeviceLabel.Rule)
            : label;
    }

    public bool Equals(Selector? other) => other is not null && Text == other.Text;

    public override int GetHashCode() => Text.GetHashCode(StringComparison.Ordinal);
}
