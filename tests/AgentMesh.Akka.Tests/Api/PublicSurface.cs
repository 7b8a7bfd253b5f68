using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace AgentMesh.EngineTests.Api;

/// <summary>The public and protected members of an assembly's types in a namespace, one line each, in the form of the lists beside this file.</summary>
internal static class PublicSurface
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    public static SortedSet<string> Of(Assembly assembly, string root)
    {
        var lines = new SortedSet<string>(StringComparer.Ordinal);
        IEnumerable<Type> nested = assembly.GetTypes().Where(type => (type.IsNestedFamily || type.IsNestedFamORAssem) && type.DeclaringType!.IsVisible);
        foreach (Type type in assembly.GetExportedTypes().Concat(nested).Distinct())
        {
            if (type.Namespace == root || (type.Namespace ?? "").StartsWith(root + ".", StringComparison.Ordinal))
            {
                lines.UnionWith(LinesOf(type));
            }
        }

        return lines;
    }

    private static IEnumerable<string> LinesOf(Type type)
    {
        string name = Name(type), kind = KindOf(type);
        yield return $"{name} | type | {kind}{Parents(type, kind)}";
        if (type.IsEnum)
        {
            foreach (FieldInfo value in type.GetFields(BindingFlags.Public | BindingFlags.Static))
            {
                yield return $"{name} | value | {value.Name} = {Convert.ToInt64(value.GetRawConstantValue(), CultureInfo.InvariantCulture)}";
            }

            yield break;
        }

        if (kind == "delegate")
        {
            MethodInfo invoke = type.GetMethod("Invoke")!;
            yield return $"{name} | invoke | {Name(invoke.ReturnType)} ({Parameters(invoke)})";
            yield break;
        }

        foreach (string member in Members(type))
        {
            yield return $"{name} | {member}";
        }
    }

    private static IEnumerable<string> Members(Type type)
    {
        foreach (ConstructorInfo constructor in type.GetConstructors(Declared).Where(each => !each.IsStatic && Access(each) is not null))
        {
            yield return $"ctor | {Access(constructor)} ({Parameters(constructor)})";
        }

        foreach (MethodInfo method in type.GetMethods(Declared))
        {
            if (Access(method) is { } access && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)))
            {
                string generic = method.IsGenericMethodDefinition ? $"<{string.Join(',', method.GetGenericArguments().Select(each => each.Name))}>" : "";
                yield return $"method | {access}{Modifiers(method)} {Name(method.ReturnType)} {method.Name}{generic}({Parameters(method)})";
            }
        }

        foreach (PropertyInfo property in type.GetProperties(Declared))
        {
            string accessors = Accessor(property.GetMethod, "get") + Accessor(property.SetMethod, "set");
            if (accessors.Length > 0)
            {
                MethodInfo any = property.GetMethod is { } get && Access(get) is not null ? get : property.SetMethod!;
                string index = property.GetIndexParameters().Length > 0 ? $"[{string.Join(", ", property.GetIndexParameters().Select(each => $"{Name(each.ParameterType)} {each.Name}"))}]" : "";
                yield return $"property |{Modifiers(any)} {Name(property.PropertyType)} {property.Name}{index} {{{accessors} }}";
            }
        }

        foreach (FieldInfo field in type.GetFields(Declared).Where(each => each.IsPublic || each.IsFamily || each.IsFamilyOrAssembly))
        {
            string modifiers = (field.IsLiteral ? " const" : field.IsStatic ? " static" : "") + (field.IsInitOnly ? " readonly" : "");
            yield return $"field | {(field.IsPublic ? "public" : "protected")}{modifiers} {Name(field.FieldType)} {field.Name}";
        }

        foreach (EventInfo declared in type.GetEvents(Declared))
        {
            if (declared.AddMethod is { } add && Access(add) is { } access)
            {
                yield return $"event | {access}{Modifiers(add)} {Name(declared.EventHandlerType!)} {declared.Name}";
            }
        }
    }

    private static string KindOf(Type type) => type switch
    {
        { IsEnum: true } => "enum",
        _ when typeof(Delegate).IsAssignableFrom(type) && type != typeof(Delegate) => "delegate",
        { IsInterface: true } => "interface",
        { IsValueType: true } => "struct",
        { IsAbstract: true, IsSealed: true } => "static class",
        { IsAbstract: true } => "abstract class",
        { IsSealed: true } => "sealed class",
        _ => "class",
    };

    private static string Parents(Type type, string kind)
    {
        if (kind is "enum" or "delegate")
        {
            return "";
        }

        var parents = new List<string>();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType))
        {
            parents.Add(Name(parent));
        }

        parents.AddRange(type.GetInterfaces().Where(each => each.IsVisible).Select(Name).Order(StringComparer.Ordinal));
        return parents.Count > 0 ? " : " + string.Join(", ", parents) : "";
    }

    private static string? Access(MethodBase method) => method.IsPublic ? "public" : method.IsFamily || method.IsFamilyOrAssembly ? "protected" : null;

    private static string Accessor(MethodInfo? method, string name)
    {
        if (method is null || Access(method) is not { } access)
        {
            return "";
        }

        bool isInit = name == "set" && method.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
        return $" {access} {(isInit ? "init" : name)};";
    }

    private static string Modifiers(MethodInfo method)
    {
        if (method.DeclaringType!.IsInterface)
        {
            return method.IsStatic ? " static" : "";
        }

        bool isOverride = method.GetBaseDefinition() != method;
        return method switch
        {
            { IsStatic: true } => " static",
            { IsAbstract: true } => " abstract",
            { IsVirtual: true, IsFinal: false } => isOverride ? " override" : " virtual",
            { IsVirtual: true } when isOverride => " sealed override",
            _ => "",
        };
    }

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    private static string Parameter(ParameterInfo parameter)
    {
        string passed = parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : parameter.IsOut ? "out " : parameter.ParameterType.IsByRef ? parameter.IsIn ? "in " : "ref " : "";
        string value = !parameter.HasDefaultValue ? ""
            : " = " + parameter.RawDefaultValue switch
            {
                null => "default",
                string text => $"\"{text}\"",
                var other => Convert.ToString(other, CultureInfo.InvariantCulture),
            };
        return $"{passed}{Name(parameter.ParameterType)} {parameter.Name}{value}";
    }

    private static string Name(Type type)
    {
        if (type.IsByRef || type.IsPointer)
        {
            return Name(type.GetElementType()!);
        }

        if (type.IsArray)
        {
            return Name(type.GetElementType()!) + "[]";
        }

        if (type.IsGenericParameter)
        {
            return type.Name;
        }

        if (Nullable.GetUnderlyingType(type) is { } underlying)
        {
            return Name(underlying) + "?";
        }

        Type[] arguments = type.GetGenericArguments();
        var chain = new Stack<Type>();
        for (Type? each = type; each is not null; each = each.DeclaringType)
        {
            chain.Push(each);
        }

        var text = new StringBuilder().Append(type.Namespace).Append('.');
        int used = 0;
        bool isFirst = true;
        foreach (Type each in chain)
        {
            text.Append(isFirst ? "" : "+");
            isFirst = false;
            int tick = each.Name.IndexOf('`', StringComparison.Ordinal);
            text.Append(tick < 0 ? each.Name : each.Name[..tick]);
            if (tick >= 0)
            {
                int count = int.Parse(each.Name[(tick + 1)..], CultureInfo.InvariantCulture);
                text.Append('<').Append(string.Join(",", arguments.Skip(used).Take(count).Select(Name))).Append('>');
                used += count;
            }
        }

        return text.ToString();
    }
}
