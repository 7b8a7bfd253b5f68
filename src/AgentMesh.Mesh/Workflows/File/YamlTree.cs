using System.Text;
using AgentMesh.Errors;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace AgentMesh.Mesh.Workflows.File;

/// <summary>Where something stands in a file; both from 1.</summary>
internal readonly record struct Place(int Line, int Column);

internal abstract record YamlNode(Place At)
{
    public abstract string Kind { get; }
}

/// <param name="IsPlain">Without quotes: where true, 3 and null mean more than their letters.</param>
internal sealed record YamlText(Place At, string Value, bool IsPlain) : YamlNode(At)
{
    public bool IsNull => IsPlain && Value is "" or "~" or "null";

    public override string Kind => IsNull ? "nothing" : $"'{Value}'";
}

internal sealed record YamlList(Place At, IReadOnlyList<YamlNode> Items) : YamlNode(At)
{
    public override string Kind => "a list";
}

internal sealed record YamlMap(Place At, IReadOnlyList<(YamlText Key, YamlNode Value)> Entries) : YamlNode(At)
{
    public override string Kind => "a mapping";
}

/// <summary>
/// Reads the part of YAML 1.2 that a file of this product needs: one document of mappings, lists and texts. Tags, anchors and aliases are refused: a few
/// lines with aliases can stand for more than any machine has room for.
/// </summary>
internal sealed class YamlTree
{
    public const int FileBytesMax = 512 * 1024;

    private const int DepthMax = 16;
    private const int NodesMax = 20_000;

    private readonly IParser _parser;
    private readonly string _file;
    private int _nodes;

    private YamlTree(string text, string file)
    {
        _parser = new Parser(new StringReader(text));
        _file = file;
    }

    /// <exception cref="MeshException">AM0370 with file, line and column. AM0377: too large.</exception>
    public static YamlNode Read(string text, string file)
    {
        if (Encoding.UTF8.GetByteCount(text) > FileBytesMax)
        {
            throw new MeshException(MeshErrors.WorkflowTooLarge, $"{file} is larger than {FileBytesMax} bytes", "keep long texts in files that the programs read");
        }

        var tree = new YamlTree(text, file);
        try
        {
            return tree.ReadDocument();
        }
        catch (YamlException wrong)
        {
            throw Wrong(file, PlaceOf(wrong.Start), $"this is no YAML: {wrong.InnerException?.Message ?? wrong.Message}", "look at the indentation, at quotes and at colons; docs/workflows.md shows a whole file");
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            // Said of keys, brackets and tags that stand where none may, without a place: it is behind what was read last.
            throw Wrong(file, tree._parser.Current is { } last ? PlaceOf(last.End) : new Place(1, 1), "this is no YAML from here on", "look at the indentation, at braces and at colons; docs/workflows.md shows a whole file");
        }
    }

    public static MeshException Wrong(string file, Place at, string what, string next, string code = MeshErrors.WorkflowSyntax) => new(code, $"{file}:{at.Line}:{at.Column}: {what}", next);

    private YamlNode ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            throw Wrong(_file, new Place(1, 1), "the file is empty", "write steps: and a list of steps; docs/workflows.md shows a whole file");
        }

        _parser.Consume<DocumentStart>();
        YamlNode root = ReadNode(0);
        _parser.Consume<DocumentEnd>();
        return _parser.Accept<DocumentStart>(out DocumentStart? second)
            ? throw Wrong(_file, PlaceOf(second.Start), "a second document begins", "a file has one workflow")
            : root;
    }

    private YamlNode ReadNode(int depth)
    {
        ParsingEvent next = _parser.Current!;
        Place at = PlaceOf(next.Start);
        if (++_nodes > NodesMax || depth > DepthMax)
        {
            throw Wrong(_file, at, depth > DepthMax ? $"nested deeper than {DepthMax}" : $"more than {NodesMax} values", "a workflow needs neither", MeshErrors.WorkflowTooLarge);
        }

        if (next is AnchorAlias || next is NodeEvent { Anchor.IsEmpty: false })
        {
            throw Wrong(_file, at, "anchors (&) and aliases (*) are not taken", "write the value out, or make it a variable under vars:; a text that begins so stands in quotes");
        }

        if (next is NodeEvent { Tag: { IsEmpty: false, IsLocal: true } or { IsEmpty: false } } tagged && tagged is not Scalar { IsQuotedImplicit: true } && !tagged.Tag.IsNonSpecific)
        {
            throw Wrong(_file, at, "tags (!) are not taken", "leave it out; a text that begins so stands in quotes");
        }

        switch (next)
        {
            case Scalar scalar:
                _parser.MoveNext();
                return scalar.Value.Contains('\0', StringComparison.Ordinal)
                    ? throw Wrong(_file, at, "a text holds a zero character", "no system can pass it on; leave it out")
                    : new YamlText(at, scalar.Value, scalar.Style == ScalarStyle.Plain);
            case SequenceStart:
                return ReadList(at, depth);
            case MappingStart:
                return ReadMap(at, depth);
            default:
                throw Wrong(_file, at, $"a value is expected, not {next.GetType().Name}", "docs/workflows.md shows a whole file");
        }
    }

    private YamlList ReadList(Place at, int depth)
    {
        _parser.Consume<SequenceStart>();
        var items = new List<YamlNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(depth + 1));
        }

        return new YamlList(at, items);
    }

    private YamlMap ReadMap(Place at, int depth)
    {
        _parser.Consume<MappingStart>();
        var entries = new List<(YamlText, YamlNode)>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            YamlNode key = ReadNode(depth + 1);
            if (key is not YamlText name)
            {
                throw Wrong(_file, key.At, $"a key is expected, not {key.Kind}", "docs/workflows.md shows a whole file");
            }

            if (!seen.Add(name.Value))
            {
                throw Wrong(_file, name.At, $"the key '{name.Value}' is there twice", "leave one of them out");
            }

            entries.Add((name, ReadNode(depth + 1)));
        }

        return new YamlMap(at, entries);
    }

    private static Place PlaceOf(Mark mark) => new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));
}
