using System.Collections.Immutable;
using System.Globalization;
using AgentMesh.Errors;

namespace AgentMesh.Mesh.Arrays;

/// <summary>What the elements of an array differ in.</summary>
/// <param name="Names">Of the columns. A range has one without a name.</param>
/// <param name="Cells">Row by row.</param>
public sealed record ArrayItems(ImmutableArray<string> Names, ImmutableArray<string> Cells)
{
    public const int CountMax = 100_000;

    /// <summary>Of names and cells together, in characters.</summary>
    public const int CharactersMax = 2 * 1024 * 1024;

    public int Count => Names.IsEmpty ? 0 : Cells.Length / Names.Length;

    public bool IsRange => Names is [""];

    public ReadOnlySpan<string> Row(int index) => Cells.AsSpan().Slice(index * Names.Length, Names.Length);

    /// <summary>What people call an element: its value in a range, the row of a table from 1.</summary>
    public int NumberOf(int index) => IsRange ? int.Parse(Cells[index], NumberStyles.None, CultureInfo.InvariantCulture) : index + 1;

    /// <summary>Null when there is no such element.</summary>
    public int? IndexOf(int number)
    {
        int index = IsRange ? Cells.IndexOf(number.ToString(CultureInfo.InvariantCulture)) : number - 1;
        return index >= 0 && index < Count ? index : null;
    }

    /// <summary>For people: <c>lr=0.1 seed=7</c>, or the value of a range.</summary>
    public string Describe(int index)
    {
        if (IsRange)
        {
            return Cells[index];
        }

        string[] parts = new string[Names.Length];
        for (int column = 0; column < parts.Length; column++)
        {
            parts[column] = $"{Names[column]}={Commands.Quoting.Quote(Row(index)[column])}";
        }

        return string.Join(' ', parts);
    }

    /// <summary>Every row is whole, and no bound is passed: what was read from outside is checked with it.</summary>
    public bool IsSound() => !Names.IsEmpty && !Cells.IsEmpty && Cells.Length % Names.Length == 0 && Count <= CountMax
        && Names.Sum(name => (long)name.Length) + Cells.Sum(cell => (long)cell.Length) <= CharactersMax
        && (!IsRange || Cells.All(cell => int.TryParse(cell, NumberStyles.None, CultureInfo.InvariantCulture, out _)));

    public static MeshException TooMany(int count) =>
        new(MeshErrors.ArrayTooLarge, $"an array has at most {CountMax} elements, not {count}{(count > CountMax ? " or more" : "")}", "split it into several arrays, or let each element do more");

    public bool Equals(ArrayItems? other) => other is not null && Names.AsSpan().SequenceEqual(other.Names.AsSpan()) && Cells.AsSpan().SequenceEqual(other.Cells.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Names.Length, Cells.Length);
}
